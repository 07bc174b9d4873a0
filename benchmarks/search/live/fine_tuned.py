"""Fine-tunings that end when their time is spent, by the trainer that Graft trains with."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras

from benchmarks.search.live.judging import judge
from benchmarks.search.live.situation import Clock, Outcome, Situation
from models.head.evidence import compare
from models.search.prepared_backbone import PreparedBackbone
from models.training.top_phase import TopPhase
from models.training.training_settings import TrainingSettings
from models.training.training_task import with_head


@dataclass(frozen=True)
class Chosen:
    """A backbone with its head, both with the weights that were chosen.

    Attributes:
        prepared: of the backbone.
        words: what was chosen.
        notes: further figures, for the results.
    """

    prepared: PreparedBackbone
    words: str
    notes: dict[str, Any] = field(default_factory=dict)

    def judged(self, situation: Situation, clock: Clock) -> Outcome:
        """What it answers to the test images."""
        classifier = with_head(self.prepared.backbone.model, self.prepared.head.model)
        return judge(classifier, self.prepared.spec, situation, clock, self.words, self.notes)


class Countdown(Protocol):
    """Tells the seconds that are left."""

    @property
    def left(self) -> float: ...  # noqa: D102


def train_within(clock: Countdown, train: Callable[[int], tuple[Sequence[float], bool]]) -> None:
    """Trains stretch by stretch until it is finished or no further epoch fits into the time.

    Each stretch takes three quarters of what fits, so that an epoch that takes longer does no harm.

    Args:
        clock: of the arm.
        train: called with the number of epochs to train to, in all; returns the seconds of each
            epoch so far, and whether the training has ended by itself.
    """
    stop = 1
    while True:
        seconds, finished = train(stop)
        fitting = int(clock.left / max(statistics.median(seconds), 1e-3))
        if finished or fitting < 1:
            return
        stop = max(len(seconds), stop) + max(1, fitting * 3 // 4)


def fine_tuned(
    prepared: PreparedBackbone,
    settings: TrainingSettings,
    scratch: Path,
    clock: Clock,
) -> Chosen:
    """Fine-tunes, and takes the head on the frozen backbone where that promises more.

    Args:
        prepared: backbone; its weights are changed.
        settings: of the training.
        scratch: folder of the training.
        clock: of the arm.
    """
    task = prepared.training(settings, scratch)
    keras.utils.set_random_seed(task.seed)
    mirror = prepared.mirror(task)
    trainer = prepared.trainer(task)
    phases: list[TopPhase] = []

    def train(stop: int) -> tuple[Sequence[float], bool]:
        phases.append(trainer.train(task, mirror=mirror, pause_after=stop))
        return phases[-1].epoch_seconds, phases[-1].finished

    train_within(clock, train)
    top, frozen = phases[-1], prepared.head.answers
    is_better = compare(top.answers, frozen).gain > 0.0
    if not is_better:
        trainer.reset()
    words = (
        f"{prepared.backbone.name} at {prepared.spec.size} px, top {settings.unfreeze:.0%} "
        f"fine-tuned at {settings.learning_rate:g}, {len(top.epoch_seconds)} epochs"
    )
    notes = {
        "epochs": len(top.epoch_seconds),
        "validation_accuracy": (top.answers if is_better else frozen).accuracy,
    }
    return Chosen(prepared, words if is_better else f"head, better than: {words}", notes)


def head_alone(prepared: PreparedBackbone) -> Chosen:
    """The linear head on the frozen backbone."""
    name = f"{prepared.backbone.name} at {prepared.spec.size} px, frozen"
    accuracy = prepared.head.answers.accuracy
    return Chosen(prepared, name, {"validation_accuracy": accuracy})
