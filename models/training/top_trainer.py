"""The fine-tuning phase of a training: what is frozen, where inputs come from, what is kept."""

import hashlib
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.backbones import Backbone, build_backbone
from models.backbones.cuts import Cut, choose_cut, find_cuts
from models.backbones.split_backbone import SplitBackbone, split_at
from models.embedding.forward import embedding_key
from models.head.evidence import Answers, answers_of
from models.inference import compiled_forward
from models.training import device
from models.training.activations import bytes_in, compute_activations, delete_activations
from models.training.convolutions import faster_convolutions
from models.training.fine_tuning import (
    TopAndHead,
    fine_tune,
    freeze_below,
    set_rate,
    trainable_model,
)
from models.training.input_sources import CachedSource, Source, StreamedSource, steps_per_epoch
from models.training.mirroring import MIRROR_IMAGES, is_harmless, mirrored_accuracy
from models.training.replicas import Replicas
from models.training.training_record import Phase
from models.training.training_state import STATE_FILE, Arrays, TrainingState
from models.training.training_task import TrainingTask, with_head

VIEWS = 3
"""Cached views of an image, the unchanged one among them."""
_BYTES = 2
"""Of a cached number."""

Mirror = tuple[bool, str]
"""Whether changed views may be mirrored, and why, in words."""


@dataclass(frozen=True)
class TopPhase:
    """What fine-tuning came to.

    Attributes:
        phase: its epochs.
        scores: the accuracy to expect after each epoch; below 0 where it diverged.
        epoch_seconds: that each took, its validation included.
        answers: of the best epoch to the validation images.
        logits: of the best epoch, for the validation images, float32 [m, k].
        notes: what was decided on the way, in words.
        resumed_from: epochs that were done when it was taken up; None if there were none.
        finished: whether no epoch is left to do.
    """

    phase: Phase
    scores: tuple[float, ...]
    epoch_seconds: tuple[float, ...]
    answers: Answers
    logits: NDArray[np.float32]
    notes: tuple[str, ...]
    resumed_from: int | None
    finished: bool


class TopTrainer:
    """Fine-tunes the top of one backbone with one head, any number of times, each from the start.

    What TensorFlow traces, which takes seconds, is traced once. Backbone and head have the weights
    of the last training's best epoch, until the next begins with those that they had first.
    """

    def __init__(self, task: TrainingTask, head: keras.Model, policy: str) -> None:
        """Splits the backbone where the task's settings say.

        Args:
            task: its backbone is changed by trainings.
            head: trained on the frozen features; is changed by trainings.
            policy: Keras policy to compute in.
        """
        self._policy = policy
        self._given = task.backbone
        self._given_head = head
        batch_size = min(task.settings.batch_size, task.images)
        self._replicas = Replicas(task.settings.devices, batch_size)
        with device.computing_in(policy), self._replicas.scope():
            self._backbone = _working_copy(task, policy, self._replicas)
            self._head = _working_head(head, self._replicas)
            self._cut = choose_cut(self._backbone.trunk, task.settings.unfreeze)
            self._split = split_at(self._backbone, self._cut)
        self._start = _values(self._variables())
        self._models: dict[bool, tuple[TopAndHead, Arrays]] = {}

    def train(
        self, task: TrainingTask, *, mirror: Mirror | None = None, pause_after: int | None = None
    ) -> TopPhase:
        """Fine-tunes; backbone and head then have the weights of the best epoch.

        Args:
            task: that of the constructor, which may have another rate, other numbers of epochs,
                another choice to augment and other folders.
            mirror: of `try_mirror`, where it was called already.
            pause_after: epochs to stop after for now. A later call with more, of any `TopTrainer`
                of the same backbone and head, in the same scratch folder, goes on as if there had
                been no stop.
        """
        started = time.perf_counter()
        settings = task.settings
        self.reset()
        with device.computing_in(self._policy), faster_convolutions(self._split.top):
            # Before anything is restored: the head must still be that of the frozen features.
            mirrors, mirror_note = mirror or try_mirror(task, self._given_head)
            views = _cached_views(task, self._split.values)
            model = self._model(task, streamed=not views)
            state = TrainingState(
                task.scratch / STATE_FILE,
                task.embeddings.validation.classes,
                epochs=settings.epochs,
                patience=settings.patience,
                pause_after=pause_after,
            )
            state.restore(model)
            if not state.is_over:
                source = self._source(task, views, mirrors)
                weights = task.embeddings.class_weights(settings.class_weights)
                fine_tune(model, source, state, settings, weights, task.log_dir, self._replicas)
                if task.activations is None and state.history.finished:
                    delete_activations(_own_activations(task))
            state.give_best(model)
        self._give_back()
        history = state.history
        seconds = time.perf_counter() - started
        return TopPhase(
            phase=Phase("fine_tune", _figures(history.epochs), history.best_epoch, seconds),
            scores=tuple(epoch["score"] for epoch in history.epochs),
            epoch_seconds=tuple(epoch["seconds"] for epoch in history.epochs),
            answers=answers_of(state.best_logits, task.embeddings.validation.classes),
            logits=state.best_logits,
            notes=(
                _cut_note(self._backbone.trunk, self._cut, views),
                mirror_note,
                *self._replicas.note,
            ),
            resumed_from=history.resumed_from,
            finished=history.finished,
        )

    def _source(self, task: TrainingTask, views: int, mirror: bool) -> Source:
        if not views:
            return StreamedSource(
                train=task.train,
                validated=task.validation,
                images=task.images,
                augment=task.settings.augment,
                mirror=mirror,
                seed=task.seed,
            )
        directory = _activations(task, self._split, self._cut, views, mirror)
        train = compute_activations(
            self._bottom,
            task.train,
            task.embeddings.train.classes,
            directory,
            views=views,
            mirror=mirror,
            seed=task.seed,
        )
        validation = compute_activations(
            self._bottom,
            task.validation,
            task.embeddings.validation.classes,
            directory,
            views=1,
            mirror=False,
            seed=task.seed,
        )
        return CachedSource(train, validation, task.seed)

    @cached_property
    def _bottom(self) -> Callable[[Any], Any]:
        """The pass through what is frozen; no training of whatever depth begins elsewhere."""
        return compiled_forward(self._split.bottom)

    def reset(self) -> None:
        """Gives backbone and head the weights that they had first."""
        for variable, value in zip(self._variables(), self._start, strict=True):
            variable.assign(value)
        self._give_back()

    def _give_back(self) -> None:
        if self._backbone is not self._given:
            self._given.trunk.set_weights(self._backbone.trunk.get_weights())
        if self._head is not self._given_head:
            self._given_head.set_weights(self._head.get_weights())

    def _model(self, task: TrainingTask, *, streamed: bool) -> TopAndHead:
        """Ready to begin: its optimizer has seen nothing."""
        freeze_below(self._backbone.model, self._split)
        if streamed not in self._models:
            with self._replicas.scope():
                model = trainable_model(
                    self._backbone.model,
                    self._split,
                    self._head,
                    task.settings,
                    streamed=streamed,
                    steps=steps_per_epoch(task.images, task.settings.batch_size),
                )
            self._models[streamed] = model, _values(model.optimizer.variables)
        model, fresh = self._models[streamed]
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.stop_training = False
        set_rate(model, task.settings.learning_rate)
        return model

    def _variables(self) -> list[keras.Variable]:
        """Weights of both, and what dropout draws from."""
        return [*self._backbone.model.variables, *self._head.variables]


def _values(variables: list[keras.Variable]) -> Arrays:
    return [np.array(keras.ops.convert_to_numpy(each)) for each in variables]


def _working_head(head: keras.Model, replicas: Replicas) -> keras.Model:
    """The head itself on one device, else a copy on all of them."""
    if len(replicas) == 1:
        return head
    copy = keras.models.clone_model(head)
    copy.set_weights(head.get_weights())
    return copy


def _working_copy(task: TrainingTask, policy: str, replicas: Replicas) -> Backbone:
    """The backbone itself in full precision on one device, else one built anew for what there is.

    It has the same weights.
    """
    backbone = task.backbone
    if policy == device.FULL_PRECISION and len(replicas) == 1:
        return backbone
    copy = build_backbone(
        backbone.name, "none", backbone.image_size, features=backbone.features, seed=task.seed
    )
    copy.trunk.set_weights(backbone.trunk.get_weights())
    return copy


def _cached_views(task: TrainingTask, values: int) -> int:
    """How many views of each image fit into the cache; 0 where caching does not pay.

    Args:
        task: the training.
        values: numbers that are kept of one view.
    """
    wanted = VIEWS if task.settings.augment else 1
    validation = len(task.embeddings.validation.classes)
    fitting = int((_room(task) / (values * _BYTES) - validation) // task.images)
    views = min(wanted, fitting)
    return views if views >= min(wanted, 2) else 0


def _room(task: TrainingTask) -> float:
    """Bytes that all activations together may take."""
    task.scratch.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(task.scratch).free
    if task.activations is not None:
        free += bytes_in(task.activations)
    # The disk is not Graft's alone.
    return min(task.settings.cache_gigabytes * 1e9, free / 2)


def _own_activations(task: TrainingTask) -> Path:
    return task.scratch / "activations"


def _activations(
    task: TrainingTask, split: SplitBackbone, cut: Cut, views: int, mirror: bool
) -> Path:
    """The folder for the activations; where not all of the shared ones fit, the others go."""
    if task.activations is None:
        return _own_activations(task)
    backbone = embedding_key(task.backbone, task.spec)
    seen = repr((task.examples_uri, task.labels, task.left_out, task.seed))
    data = hashlib.sha256(seen.encode()).hexdigest()[:16]
    changes = f"{views}{'-mirrored' if mirror else ''}"
    own = task.activations / f"{backbone}-{data}-{cut.layer}-{changes}"
    others = [folder for folder in task.activations.glob("*") if folder != own]
    images = task.images * views + len(task.embeddings.validation.classes)
    if images * split.values * _BYTES + sum(map(bytes_in, others)) > _room(task):
        for folder in others:
            shutil.rmtree(folder)
    return own


def try_mirror(task: TrainingTask, head: keras.Model) -> Mirror:
    """Finds out whether changed views may be mirrored.

    Args:
        task: with the backbone as it was pretrained.
        head: trained on the frozen features.
    """
    if not task.settings.augment:
        return False, "images are not changed: augment is off"
    validation = task.embeddings.validation
    logits = head.predict(validation.embeddings[:MIRROR_IMAGES], verbose=0)
    accuracy = _accuracy(logits, validation.classes[:MIRROR_IMAGES])
    classifier = with_head(task.backbone.model, head)
    on_mirrored = mirrored_accuracy(classifier, task.validation)
    harmless = is_harmless(accuracy, on_mirrored)
    verdict = "changed views are mirrored, too" if harmless else "changed views are not mirrored"
    return harmless, (
        f"{verdict}: the head answers {accuracy:.1%} of validation images rightly, "
        f"{on_mirrored:.1%} when they are mirrored"
    )


def _accuracy(logits: NDArray[np.float32], classes: NDArray[np.integer]) -> float:
    return float(np.mean(logits.argmax(axis=1) == classes))


def _cut_note(trunk: keras.Model, cut: Cut, views: int) -> str:
    total = find_cuts(trunk)[-1].weighted_below
    note = f"{cut.weighted_below} of {total} weighted layers are frozen, up to {cut.layer}"
    if not views:
        return (
            f"{note}; they run anew in every epoch, for their activations would not fit the cache"
        )
    return f"{note}; they ran once over {views} view{'s' if views > 1 else ''} of each image"


def _figures(epochs: list[dict[str, float]]) -> tuple[dict[str, float | None], ...]:
    """The figures of the record; None for what is not finite, which JSON does not know."""
    names = {"loss": "loss", "val_loss": "val_log_loss", "val_accuracy": "val_accuracy"}
    return tuple(
        {
            name: figures[source] if math.isfinite(figures[source]) else None
            for name, source in names.items()
        }
        for figures in epochs
    )
