"""What a fine-tuning of a backbone's top came to."""

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.head.evidence import Answers, answers_of
from models.head.labelled_embeddings import HeadTask
from models.training.training_record import Phase
from models.training.training_state import TrainingState


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


def phase_of(
    name: str, task: HeadTask, state: TrainingState, notes: tuple[str, ...], started: float
) -> TopPhase:
    """Sums up a training that has come to its end, or to a pause.

    Args:
        name: of the phase.
        task: of the training; the state may have seen more images behind its validation images.
        state: of the training.
        notes: what was decided on the way, in words.
        started: by `time.perf_counter`.
    """
    history = state.history
    classes = task.validation.classes
    logits = state.best_logits[: len(classes)]
    seconds = time.perf_counter() - started
    return TopPhase(
        phase=Phase(name, _figures(history.epochs), history.best_epoch, seconds),
        scores=tuple(epoch["score"] for epoch in history.epochs),
        epoch_seconds=tuple(epoch["seconds"] for epoch in history.epochs),
        answers=answers_of(logits, classes),
        logits=logits,
        notes=notes,
        resumed_from=history.resumed_from,
        finished=history.finished,
    )


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
