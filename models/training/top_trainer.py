"""The fine-tuning phase of a training: what is frozen, where inputs come from, what is kept."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.backbones import Backbone, build_backbone
from models.backbones.cuts import Cut, choose_cut, find_cuts
from models.backbones.split_backbone import split_at
from models.inference import compiled_forward
from models.training import device
from models.training.activation_cache import activations_folder, cached_views
from models.training.activations import Activations, compute_activations
from models.training.convolutions import faster_convolutions
from models.training.fine_tuning import (
    TopAndHead,
    fine_tune,
    freeze_below,
    set_rate,
    trainable_model,
)
from models.training.further_images import FurtherImages
from models.training.image_split import ImageSplit
from models.training.input_sources import CachedSource, Source, StreamedSource
from models.training.mirroring import Mirror, try_mirror
from models.training.replicas import Replicas
from models.training.top_phase import TopPhase, phase_of
from models.training.training_settings import steps_per_epoch
from models.training.training_state import STATE_FILE, Arrays, TrainingState, values_of
from models.training.training_task import TrainingTask

_BATCH: Final = 64
"""Images that are answered at a time."""


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
        self._start = values_of(self._variables())
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
        self.reset()
        with device.computing_in(self._policy), faster_convolutions(self._split.top):
            # Before anything is restored: the head must still be that of the frozen features.
            mirrors, mirror_note = mirror or try_mirror(task, self._given_head)
            views = cached_views(task, self._split.values)
            weights = task.embeddings.class_weights(task.settings.weighting)
            state = self._fit(
                task,
                lambda: self._source(task, views, mirrors),
                np.eye(len(weights), dtype=np.float32),
                weights,
                streamed=not views,
                pause_after=pause_after,
            )
        self._seen = views, mirrors
        notes = _cut_note(self._backbone.trunk, self._cut, views), mirror_note
        return phase_of(
            "fine_tune", task.embeddings, state, (*notes, *self._replicas.note), started
        )

    def train_again(
        self,
        task: TrainingTask,
        further: FurtherImages,
        *,
        more: int | None = None,
    ) -> TopPhase | None:
        """Fine-tunes anew, or goes on, with further images beside those of `train`.

        Args:
            task: that of `train`, which has come to its end.
            further: these images.
            more: epochs to go on for, of which the last one counts; None to begin with the weights
                that `train` began with, and to choose the best epoch by the validation images.

        Returns:
            None, where activations of all images do not fit the cache. Its answers and logits are
            those for the validation images of the task.
        """
        started = time.perf_counter()
        views, mirrors = self._seen
        if not views or cached_views(task, self._split.values, further.count) < views:
            return None
        self._before = values_of(self._variables())
        with device.computing_in(self._policy), faster_convolutions(self._split.top):
            model = self._model(task, streamed=False)
            known = self._cached(task, views, mirrors)
            source, held = self._with_further(task, known, further, views, mirrors)
            weights = task.embeddings.class_weights(task.settings.weighting)
            if further.classes is None:
                targets = _mean_answers(model, source.train)
            else:
                classes = np.concatenate([task.embeddings.train.classes, further.classes])
                targets = np.eye(len(weights), dtype=np.float32)[classes]
            if more is None:
                self.reset()
            name = further.name
            limited = {} if more is None else {"epochs": more}
            state = self._fit(
                replace(
                    task,
                    settings=task.settings.model_copy(update=limited),
                    scratch=task.scratch / name,
                    log_dir=task.log_dir / name,
                ),
                lambda: source,
                targets,
                targets @ weights,
                streamed=False,
                held=held,
                chooses=more is None,
            )
        return phase_of(further.name, task.embeddings, state, (), started)

    def _with_further(
        self,
        task: TrainingTask,
        known: CachedSource,
        further: FurtherImages,
        views: int,
        mirror: bool,
    ) -> tuple[CachedSource, NDArray[np.integer]]:
        """All images, each training image a class of its own; classes of those to validate on."""
        folder = activations_folder(task, self._split, self._cut, views, mirror)
        directory = folder / hashlib.sha256(further.key.encode()).hexdigest()[:16]
        unknown = np.zeros(further.count, int)
        others = self._crossing(task, further.train, unknown, directory, views, mirror)
        validated, held = known.validated, task.embeddings.validation.classes
        if further.validation is not None:
            more = self._crossing(task, further.validation, further.held, directory, 1, False)
            validated, held = validated.joined(more), np.concatenate([held, further.held])
        return CachedSource(known.train.joined(others), validated, task.seed), held

    def take_back(self) -> None:
        """Gives backbone and head the weights that they had before `train_again`."""
        for variable, value in zip(self._variables(), self._before, strict=True):
            variable.assign(value)
        self._give_back()

    def _fit(
        self,
        task: TrainingTask,
        source: Callable[[], Source],
        targets: NDArray[np.float32],
        weights: NDArray[np.float32],
        *,
        streamed: bool,
        pause_after: int | None = None,
        held: NDArray[np.integer] | None = None,
        chooses: bool = True,
    ) -> TrainingState:
        model = self._model(task, streamed=streamed)
        state = TrainingState(
            task.scratch / STATE_FILE,
            task.embeddings.validation.classes if held is None else held,
            epochs=task.settings.epochs,
            patience=task.settings.waits(task.images) if chooses else None,
            last_patience=task.settings.waits_at_last if chooses else None,
            pause_after=pause_after,
            images=task.images,
        )
        state.restore(model)
        if not state.is_over:
            fine_tune(
                model,
                source(),
                state,
                task.settings,
                targets,
                weights,
                task.log_dir,
                self._replicas,
            )
        state.give_best(model)
        self._give_back()
        return state

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
        return self._cached(task, views, mirror)

    def _cached(self, task: TrainingTask, views: int, mirror: bool) -> CachedSource:
        directory = activations_folder(task, self._split, self._cut, views, mirror)
        data = task.embeddings
        train = self._crossing(task, task.train, data.train.classes, directory, views, mirror)
        held = data.validation.classes
        validation = self._crossing(task, task.validation, held, directory, 1, False)
        return CachedSource(train, validation, task.seed)

    def _crossing(
        self,
        task: TrainingTask,
        split: ImageSplit,
        classes: NDArray[np.integer],
        directory: Path,
        views: int,
        mirror: bool,
    ) -> Activations:
        """What crosses the cut of some images."""
        return compute_activations(
            self._bottom, split, classes, directory, views=views, mirror=mirror, seed=task.seed
        )

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
            self._models[streamed] = model, values_of(model.optimizer.variables)
        model, fresh = self._models[streamed]
        for variable, value in zip(model.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.stop_training = False
        set_rate(model, task.settings.learning_rate)
        return model

    def _variables(self) -> list[keras.Variable]:
        """Weights of both, and what dropout draws from."""
        return [*self._backbone.model.variables, *self._head.variables]


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


def _mean_answers(model: TopAndHead, images: Activations) -> NDArray[np.float32]:
    """Probabilities [n, k], the mean over all views of each image."""
    numbers = np.arange(len(images))
    batches = np.split(numbers, range(_BATCH, len(numbers), _BATCH))
    views = (
        np.concatenate(
            [
                softmax(model.answer(images.rows(rows, np.full_like(rows, view))), 1)
                for rows in batches
            ]
        )
        for view in range(images.views)
    )
    return np.asarray(np.mean(list(views), axis=0), np.float32)


def _cut_note(trunk: keras.Model, cut: Cut, views: int) -> str:
    total = find_cuts(trunk)[-1].weighted_below
    note = f"{cut.weighted_below} of {total} weighted layers are frozen, up to {cut.layer}"
    if not views:
        return (
            f"{note}; they run anew in every epoch, for their activations would not fit the cache"
        )
    return f"{note}; they ran once over {views} view{'s' if views > 1 else ''} of each image"
