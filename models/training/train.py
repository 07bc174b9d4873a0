"""One training: the head, then the backbone's top, then the choice of what is exported."""

import time
from dataclasses import dataclass, replace
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.block_weights import BlockWeight, block_weights
from models.head.calibration import Calibration, calibration
from models.head.evidence import answers_of, compare, in_figures
from models.head.frozen_head import FrozenHead, fit_frozen_head
from models.head.head_model import HEAD, divide_logits
from models.head.refit import refitted
from models.training import device
from models.training.activation_cache import own_activations
from models.training.activations import delete_activations
from models.training.fine_tuned_copies import train_on_copies
from models.training.network_refit import NetworkRefit, train_on_all
from models.training.own_answers import train_successor
from models.training.strategies.choice import ChosenHead, choose_head
from models.training.strategies.strategy import Situation, Target
from models.training.target_copies import answers_to_copies, find_target
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer
from models.training.training_record import Phase, TrainingRecord
from models.training.training_settings import Strategy, choose_strategy
from models.training.training_task import TrainingTask, with_head
from models.training.unused_images import unused_images

LEAST_SURE: Final = 0.9
"""Probability that a fine-tuned model is the better one, from which on it is taken where images are
few. Of 20 images a class 3 validate, the best epoch was chosen by them, and the head has learned
from them too: what they promise of fine-tuning seldom comes true
(`benchmarks/strategies/few_images_choice.py`)."""
_BEGUN = "it began with the weights of the last blessed model, backbone and head"


@dataclass(frozen=True)
class Start:
    """What a later training begins from in the place of a model; nothing where it is that model.

    Attributes:
        head: on the backbone of the model.
        model: of its own backbone and head.
    """

    head: keras.Model | None = None
    model: keras.Model | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is one of them."""
        return self.head is not None or self.model is not None


@dataclass(frozen=True)
class Trained:
    """The outcome of a training.

    Attributes:
        model: from images float32 [n, s, s, 3], RGB in 0..255, to probabilities float32 [n, k].
        record: how it came about.
        frozen: the head on the frozen backbone; what follows on its fitting changes its model.
        start: what a later training, judged on the same validation images, begins from where the
            model learned from them.
    """

    model: keras.Model
    record: TrainingRecord
    frozen: FrozenHead
    start: Start


def train(task: TrainingTask) -> Trained:
    """Trains a classifier.

    A fine-tuned model that promises less than the head on the frozen backbone, by their answers to
    the validation images (`models.head.evidence`), is dropped for that head. Where there are images
    without labels, or of another domain, it may give way to a successor before
    (`models.training.own_answers`, `models.training.fine_tuned_copies`). What is exported is
    calibrated by a temperature, but for the head of a strategy, which has one of its own. When all
    that is judged on the validation images is judged, what is exported learns from them too: a
    linear head (`models.head.refit`) or a fine-tuned model (`models.training.network_refit`).

    Args:
        task: what to train on; its backbone is changed.
    """
    keras.utils.set_random_seed(task.seed)
    strategy = choose_strategy(task.settings, task.images, task.known)
    if task.is_searched:
        strategy = Strategy(strategy.name, "chosen by the search")
    frozen, head_phase = train_head(task)
    # Before fine-tuning changes the head.
    blocks = block_weights(frozen.model, task.backbone, task.embeddings.validation)
    situation = Situation(
        task.embeddings, task.settings, task.unlabelled, find_target(task), task.earlier
    )
    head = choose_head(frozen.model, frozen.answers, situation)
    if strategy.name == "feature_extraction":
        head = replace(head, tried=(*head.tried, *unused_images(situation, strategy, head)))
        choice = _Choice("head", "the strategy trains the head alone", head.answers.accuracy)
        export = _export_head(task, frozen, head)
        return _outcome(task, strategy, frozen, head, choice, blocks, export, [head_phase])
    policy = device.precision(task.settings.mixed_precision, device.prepare_device())
    # Not with what a strategy made: its head may have learned from the validation images.
    trainer = TopTrainer(task, frozen.model, policy)
    first = trainer.train(task)
    target = situation.target if head.is_for_target else None
    successor = (
        train_successor(task, trainer, first)
        if target is None
        else train_on_copies(task, trainer, first, frozen.model, target)
    )
    top = successor.kept if successor else first
    # Second fine-tunings, and those for another domain, were measured without it.
    is_doubtful = situation.is_few_shot and top is first and target is None
    choice = _choose(task, frozen, head, top, target, LEAST_SURE if is_doubtful else 0.5)
    phases = [head_phase, first.phase]
    if successor:
        head = replace(head, tried=(*head.tried, successor.record))
        phases += [successor.phase.phase] if successor.phase else []
    head = replace(head, tried=(*head.tried, *unused_images(situation, strategy, head)))
    if choice.exported == "head":
        trainer.reset()
        export = _export_head(task, frozen, head)
    else:
        # Images that were learned from beside the labelled ones were measured without it.
        may_refit = top is first and _network_may_refit(task)
        again = train_on_all(task, trainer, first, frozen.model) if may_refit else None
        phases += [again.phase] if again else []
        export = _export_fine_tuned(task, frozen, top, again)
    if task.activations is None:
        delete_activations(own_activations(task))
    return _outcome(task, strategy, frozen, head, choice, blocks, export, phases, first, policy)


def train_head(task: TrainingTask) -> tuple[FrozenHead, Phase]:
    """Fits the head on the embeddings."""
    started = time.perf_counter()
    head = fit_frozen_head(task.embeddings, task.settings.weighting, task.earlier)
    figures: dict[str, float | None] = {
        "loss": head.train_loss,
        "val_loss": head.validation_loss,
        "val_accuracy": head.answers.accuracy,
    }
    return head, Phase("head", (figures,), 0, time.perf_counter() - started)


@dataclass(frozen=True)
class _Choice:
    """What is exported: "head" or "fine_tuned", why in words, and its validation accuracy."""

    exported: str
    reason: str
    accuracy: float


@dataclass(frozen=True)
class _Export:
    """A head as it is exported; the rest is as in `TrainingRecord` and `Trained`."""

    model: keras.Model
    calibration: Calibration | None
    refitted_images: int = 0
    start: Start = Start()


def _choose(
    task: TrainingTask,
    frozen: FrozenHead,
    head: ChosenHead,
    top: TopPhase,
    target: Target | None,
    sure: float,
) -> _Choice:
    """Takes the better one on validation images, or on their copies if the head is for a target."""
    comparison, of = compare(top.answers, head.answers), ""
    if target is not None:
        copies = target.copies.validation
        logits = head.model.predict(copies.embeddings, batch_size=1024, verbose=0)
        fine_tuned = with_head(task.backbone.model, frozen.model)
        comparison = compare(
            answers_to_copies(task, target, fine_tuned), answers_of(logits, copies.classes)
        )
        of = ", judged on copies that look like data.target"
    one, other = top.answers.accuracy, head.answers.accuracy
    figures = f"{comparison}{of}: {in_figures(top.answers, head.answers)}"
    # A model that diverged has no gain at all.
    if not comparison.gain > 0.0:
        reason = f"fine-tuning lost against the head on the frozen backbone, {figures}"
        return _Choice("head", reason, other)
    reason = f"fine-tuning promises more than the head on the frozen backbone, {figures}"
    if comparison.confidence < sure:
        return _Choice("head", f"{reason}; so few images would have to be {sure:.0%} sure", other)
    return _Choice("fine_tuned", reason, one)


def _export_head(task: TrainingTask, frozen: FrozenHead, chosen: ChosenHead) -> _Export:
    if chosen.model is not frozen.model:
        # It learned from the validation images, and was calibrated otherwise.
        return _Export(chosen.model, None, start=Start(head=frozen.model))
    logits = frozen.model.predict(task.embeddings.validation.embeddings, verbose=0)
    found = _calibrate(task, frozen.model, logits)
    if not task.settings.may_refit(_labelled(task)):
        return _Export(frozen.model, found)
    model = refitted(frozen, task.embeddings, task.settings.weighting)
    divide_logits(model, found.temperature)
    return _Export(model, found, _labelled(task), Start(head=frozen.model))


def _export_fine_tuned(
    task: TrainingTask, frozen: FrozenHead, top: TopPhase, again: NetworkRefit | None
) -> _Export:
    found = _calibrate(task, frozen.model, top.logits)
    if again is None:
        return _Export(frozen.model, found)
    divide_logits(again.before.get_layer(HEAD), found.temperature)
    return _Export(frozen.model, found, _labelled(task), Start(model=again.before))


def _network_may_refit(task: TrainingTask) -> bool:
    """Whether a fine-tuned model may learn from the validation images.

    Not where it goes on from an earlier model, which was not measured.
    """
    is_free = task.earlier is None and not task.is_validated_later
    return is_free and task.settings.may_refit(_labelled(task))


def _labelled(task: TrainingTask) -> int:
    """Images to train and to validate on."""
    return task.images + len(task.embeddings.validation.classes)


def _calibrate(task: TrainingTask, head: keras.Model, logits: NDArray[np.float32]) -> Calibration:
    found = calibration(logits, task.embeddings.validation.classes)
    divide_logits(head, found.temperature)
    return found


def _outcome(
    task: TrainingTask,
    strategy: Strategy,
    frozen: FrozenHead,
    head: ChosenHead,
    choice: _Choice,
    blocks: tuple[BlockWeight, ...],
    export: _Export,
    phases: list[Phase],
    top: TopPhase | None = None,
    policy: str = device.FULL_PRECISION,
) -> Trained:
    weights = task.embeddings.class_weights(task.settings.weighting)
    record = TrainingRecord(
        strategy=strategy,
        exported=choice.exported,
        exported_reason=choice.reason,
        phases=tuple(phases),
        validation_accuracy=choice.accuracy,
        head_validation_accuracy=head.answers.accuracy,
        settings=task.settings,
        seed=task.seed,
        class_weights=dict(zip(task.labels, weights.tolist(), strict=True)),
        precision=policy,
        notes=((_BEGUN,) if task.earlier else ()) + (top.notes if top else ()),
        start="champion" if task.earlier else "pretrained",
        resumed_from_epoch=top.resumed_from if top else None,
        strategies=head.tried,
        calibration=export.calibration,
        refitted_images=export.refitted_images,
        blocks=blocks,
    )
    model = with_head(task.backbone.model, export.model)
    return Trained(model, record, frozen, export.start)
