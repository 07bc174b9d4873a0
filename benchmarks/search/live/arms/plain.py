"""What is not searched: the head alone, and the usual fine-tuning for the whole time."""

from pathlib import Path
from typing import Final

from benchmarks.search.live.fine_tuned import fine_tuned, head_alone
from benchmarks.search.live.situation import Clock, Outcome, Situation
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask
from models.training.training_settings import TrainingSettings

_NO_END: Final = 100_000
"""Epochs that no time is enough for."""


def head_only(situation: Situation, clock: Clock) -> Outcome:
    """The linear head on the usual backbone, frozen; takes what it takes."""
    return head_alone(_usual(situation.task(), situation)).judged(situation, clock)


def fixed(situation: Situation, clock: Clock) -> Outcome:
    """The usual fine-tuning; the best epoch of all that fit into the time."""
    training = TrainingSettings(epochs=_NO_END, patience=_NO_END)
    prepared = _usual(situation.task(training=training), situation)
    model = fine_tuned(prepared, training, situation.scratch / "training", clock)
    return model.judged(situation, clock)


def _usual(task: SearchTask, situation: Situation) -> PreparedBackbone:
    return PreparedBackbone(task, task.candidates[0], Path(situation.scratch / "activations"))
