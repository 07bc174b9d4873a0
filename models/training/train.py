"""One training: the head, then the backbone's top, then the choice of what is exported."""

import time
from dataclasses import dataclass

import keras

from models.head.head_trainer import HeadTrainer
from models.head.stopping import PATIENCE
from models.history.records import Evaluation
from models.training import device
from models.training.top_phase import TopPhase, train_top
from models.training.training_record import Phase, TrainingRecord
from models.training.training_settings import Strategy, choose_strategy
from models.training.training_task import TrainingTask, with_head


@dataclass(frozen=True)
class Trained:
    """The outcome of a training.

    Attributes:
        model: from images float32 [n, s, s, 3], RGB in 0..255, to probabilities float32 [n, k].
        record: how it came about.
    """

    model: keras.Model
    record: TrainingRecord


def train(task: TrainingTask) -> Trained:
    """Trains a classifier.

    A fine-tuned model that answers fewer validation images rightly than the head on the frozen
    backbone is dropped for that head: fine-tuning may lose more than it gains on few images.

    Args:
        task: what to train on; its backbone is changed.

    Raises:
        DivergedError: not one epoch of the head ended with finite losses.
    """
    keras.utils.set_random_seed(task.seed)
    strategy = choose_strategy(task.settings, task.images)
    head, evaluation, head_phase = train_head(task)
    if strategy.name == "feature_extraction":
        return _outcome(task, strategy, head, evaluation, [head_phase], None)
    policy = device.precision(task.settings.mixed_precision, device.prepare_device())
    before = task.backbone.model.get_weights(), head.get_weights()
    top = train_top(task, head, policy)
    if top.validation_accuracy < evaluation.validation_accuracy:
        task.backbone.model.set_weights(before[0])
        head.set_weights(before[1])
    return _outcome(task, strategy, head, evaluation, [head_phase, top.phase], top, policy)


def train_head(task: TrainingTask) -> tuple[keras.Model, Evaluation, Phase]:
    """Trains the head on the embeddings, as the search's best trial did.

    Raises:
        DivergedError: not one epoch of it ended with finite losses.
    """
    started = time.perf_counter()
    trainer = HeadTrainer(task.embeddings, task.settings.class_weights)
    trained = trainer.train(
        task.parameters,
        epochs=task.head_epochs,
        patience=PATIENCE,
        seed=task.seed,
    )
    head = trainer.model(task.parameters, trained.weights)
    evaluation, curve = trained.evaluation, trained.evaluation.curve
    figures = zip(curve.train_loss, curve.validation_loss, curve.validation_accuracy, strict=True)
    epochs: tuple[dict[str, float | None], ...] = tuple(
        {"loss": loss, "val_loss": validation, "val_accuracy": accuracy}
        for loss, validation, accuracy in figures
    )
    seconds = time.perf_counter() - started
    return head, evaluation, Phase("head", epochs, evaluation.best_epoch, seconds)


def _outcome(
    task: TrainingTask,
    strategy: Strategy,
    head: keras.Model,
    evaluation: Evaluation,
    phases: list[Phase],
    top: TopPhase | None,
    policy: str = device.FULL_PRECISION,
) -> Trained:
    alone = evaluation.validation_accuracy
    exported, reason, accuracy = _choice(alone, top)
    weights = task.embeddings.class_weights(task.settings.class_weights)
    record = TrainingRecord(
        strategy=strategy,
        exported=exported,
        exported_reason=reason,
        phases=tuple(phases),
        validation_accuracy=accuracy,
        head_validation_accuracy=alone,
        settings=task.settings,
        parameters=task.parameters,
        seed=task.seed,
        class_weights=dict(zip(task.labels, weights.tolist(), strict=True)),
        precision=policy,
        notes=top.notes if top else (),
        resumed_from_epoch=top.resumed_from if top else None,
    )
    return Trained(with_head(task.backbone.model, head), record)


def _choice(alone: float, top: TopPhase | None) -> tuple[str, str, float]:
    """What is exported, why in words, and its validation accuracy."""
    if top is None:
        return "head", "the strategy trains the head alone", alone
    figures = f"{top.validation_accuracy:.1%} of validation images against {alone:.1%}"
    if top.validation_accuracy < alone:
        reason = f"fine-tuning lost against the head on the frozen backbone: {figures}"
        return "head", reason, alone
    reason = f"fine-tuning is no worse than the head on the frozen backbone: {figures}"
    return "fine_tuned", reason, top.validation_accuracy
