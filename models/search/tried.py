"""The configurations of a search, as its history tells of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from models.backbone_choice.backbone_choice import Candidate
from models.curves.learning_curve import CurveTask, LearningCurve
from models.history.records import Evaluation, TaskDescription, TrialRecord
from models.history.search_space import Value, Values
from models.history.tuning_history import TuningHistory
from models.search.costs import Costs
from models.search.joint_space import (
    BACKBONE,
    SIZE,
    UNFREEZE,
    WEIGHTS,
    candidate_of,
    comparable,
    is_frozen,
)
from models.search.search_record import TriedBackbone


class Tried:
    """One record for each configuration, in the order in which they were begun."""

    def __init__(self) -> None:
        self._records: dict[str, TrialRecord] = {}

    @property
    def records(self) -> tuple[TrialRecord, ...]:
        """Of all configurations so far."""
        return tuple(self._records.values())

    def add(self, values: Values, evaluation: Evaluation | None, message: str = "") -> None:
        """Takes what came of a stretch.

        Args:
            values: of the configuration.
            evaluation: of all its epochs so far; None where the stretch failed.
            message: why it failed.
        """
        key = repr(sorted(values.items()))
        before = self._records.get(key)
        if evaluation is None and before is not None:
            # What it came to before it failed stays.
            return
        self._records[key] = TrialRecord(
            order=before.order if before else len(self._records),
            status="failed" if evaluation is None else "completed",
            values=values,
            score=evaluation.score if evaluation else None,
            evaluations=(evaluation,) if evaluation else (),
            seconds=(before.seconds if before else 0.0)
            + (evaluation.seconds if evaluation else 0.0),
            message=message,
        )


def tried_backbones(
    records: Sequence[TrialRecord], chosen: Candidate, costs: Costs
) -> tuple[TriedBackbone, ...]:
    """What each backbone cost and brought, the one that computes least first.

    Args:
        records: of all configurations that were begun.
        chosen: backbone of the winner.
        costs: of trainings on this machine.
    """
    by_candidate: dict[Candidate, list[TrialRecord]] = defaultdict(list)
    for record in records:
        by_candidate[candidate_of(record.values)].append(record)
    tried = [
        TriedBackbone(
            candidate=candidate,
            configurations=len(own),
            accuracy=max(
                (e.validation_accuracy for each in own for e in each.evaluations), default=None
            ),
            seconds=sum(each.seconds for each in own),
            multiply_adds=costs.serving(candidate),
            chosen=candidate == chosen,
        )
        for candidate, own in by_candidate.items()
    ]
    return tuple(sorted(tried, key=lambda each: each.multiply_adds))


def curve_task(history: TuningHistory, name: str) -> CurveTask:
    """What a later search learns from a history.

    Args:
        history: of a joint search.
        name: for people.

    Raises:
        ValueError: another tuner made the search.
    """
    task = history.header.task
    if task is None:
        raise ValueError("a search of another tuner tells nothing of its task")
    trials = [trial for trial in history.completed if _tells_a_curve(trial)]
    largest = max((_size(trial) for trial in trials), default=1)
    starts = {
        _backbone(trial): trial.evaluations[-1].curve.scores[0]
        for trial in trials
        if is_frozen(trial.values)
    }
    return CurveTask(
        name,
        max(task.images, 1),
        description(task),
        tuple(_curve(trial, largest, starts) for trial in trials),
    )


def description(task: TaskDescription) -> dict[str, float]:
    """The figures that tell tasks apart, beside their size."""
    return {
        "classes": task.classes,
        "images_a_class": task.images / max(task.classes, 1),
        "balance": task.balance,
        "class_separation": task.embedding.class_separation,
        "centroid_accuracy": task.embedding.centroid_accuracy,
    }


def _tells_a_curve(trial: TrialRecord) -> bool:
    """Whether a search of Graft's made the trial; anybody may have written the file."""
    if not trial.evaluations:
        return False
    curve = trial.evaluations[-1].curve
    has_values = isinstance(trial.values.get(BACKBONE), str) and _size(trial) > 0
    return has_values and UNFREEZE in trial.values and bool(curve.scores and curve.seconds)


def _size(trial: TrialRecord) -> int:
    size = trial.values.get(SIZE)
    return size if isinstance(size, int) else 0


def _backbone(trial: TrialRecord) -> tuple[Value | None, ...]:
    return tuple(trial.values.get(name) for name in (BACKBONE, WEIGHTS, SIZE))


def _curve(
    trial: TrialRecord, largest: int, starts: Mapping[tuple[Value | None, ...], float]
) -> LearningCurve:
    evaluation = trial.evaluations[-1]
    curve = evaluation.curve
    seconds = tuple(max(each, 1e-6) for each in curve.seconds)
    values = comparable(trial.values, largest)
    start = None if is_frozen(trial.values) else starts.get(_backbone(trial))
    return LearningCurve(values, curve.scores, seconds, evaluation.paused_after is None, start)


def last_line(message: str | None) -> str:
    """Of a traceback, the line that says what happened; never empty."""
    lines = (message or "").strip().splitlines()
    return lines[-1][:500] if lines else "no reason was given"
