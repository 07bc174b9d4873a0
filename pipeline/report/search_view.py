"""The report's section on the search for the head's hyperparameters."""

import statistics
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from models.head.selection_score import METRIC
from models.history.importance import importance
from models.history.records import TrialRecord
from models.history.tuning_history import TuningHistory
from models.intervals import Interval, interval_of
from pipeline.report.account import validation_images
from pipeline.report.artifacts import Artifacts
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks, whole_ticks

_MOST_TRIALS = 12


@dataclass(frozen=True)
class TrialRow:
    """One trial.

    Attributes:
        number: from 1, in the order of the search.
        score: as text.
        accuracy: on the validation split, as text.
        seconds: as text.
        values: of the hyperparameters, as text, in the order of `SearchView.names`.
        best: whether it won.
    """

    number: int
    score: str
    accuracy: str
    seconds: str
    values: list[str]
    best: bool


@dataclass(frozen=True)
class SearchView:
    """What the section shows.

    Attributes:
        trials: made in all.
        failed: without a score.
        seconds: that the trials took.
        algorithm: that proposed them.
        metric: name of the score.
        names: of the hyperparameters.
        rows: the best trials.
        chart: score over trials.
        importance: hyperparameter and the share that it explains by itself, 0..1; empty with few
            trials, or when none made a difference.
        probe_accuracy: of the best head on the frozen backbone, on the validation split.
        probe_interval: the 95 % interval of that accuracy.
        failure: message of the first failed trial.
    """

    trials: int
    failed: int
    seconds: float
    algorithm: str
    metric: str
    names: list[str]
    rows: list[TrialRow]
    chart: Markup | None
    importance: list[tuple[str, float]]
    probe_accuracy: float | None
    probe_interval: Interval | None
    failure: str


def search_view(found: Artifacts) -> SearchView | None:
    """Builds the section; None when the search left nothing."""
    history = found.history
    if history is None:
        return None
    names = [parameter.name for parameter in history.header.space.parameters]
    failures = [trial.message for trial in history.trials if trial.status == "failed"]
    return SearchView(
        trials=len(history.trials),
        failed=len(failures),
        seconds=sum(trial.seconds for trial in history.trials),
        algorithm=history.header.search.algorithm,
        metric=score_name(history),
        names=names,
        rows=_rows(history, names),
        chart=_chart(history),
        importance=_importance(history),
        probe_accuracy=found.probe.get("validation_accuracy"),
        probe_interval=interval_of(
            found.probe.get("validation_accuracy"), validation_images(found.ingest)
        ),
        failure=failures[0] if failures else "",
    )


def _importance(history: TuningHistory) -> list[tuple[str, float]]:
    shares = importance(history)
    if not any(shares.values()):
        return []
    return [(name.replace("_", " ").capitalize(), share) for name, share in shares.items()]


def _rows(history: TuningHistory, names: list[str]) -> list[TrialRow]:
    sign = -1.0 if history.header.search.direction == "max" else 1.0
    ranked = sorted(history.completed, key=lambda trial: (sign * (trial.score or 0), trial.order))
    return [
        TrialRow(
            number=trial.order + 1,
            score=f"{trial.score:.4f}",
            accuracy=f"{_accuracy(trial):.3f}",
            seconds=f"{trial.seconds:.1f}",
            values=[_value(trial.values.get(name)) for name in names],
            best=trial is history.best,
        )
        for trial in ranked[:_MOST_TRIALS]
    ]


def _accuracy(trial: TrialRecord) -> float:
    return statistics.fmean(each.validation_accuracy for each in trial.evaluations)


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _chart(history: TuningHistory) -> Markup | None:
    points = [(trial.order + 1.0, trial.score or 0.0) for trial in history.completed]
    if len(points) < 2:
        return None
    better = max if history.header.search.direction == "max" else min
    best = list(accumulate((score for _, score in points), better))
    scores = [score for _, score in points]
    return line_chart(
        "Score of each trial and the best so far",
        [
            Series("each trial", points, "second", dots=True),
            Series("best so far", [(x, y) for (x, _), y in zip(points, best, strict=True)]),
        ],
        Axis("trial", whole_ticks(int(points[-1][0]))),
        Axis(score_name(history), nice_ticks(min(scores), max(scores))),
    )


def score_name(history: TuningHistory) -> str:
    """What the score is called: "score" where it is Graft's own, which the section explains."""
    metric = history.header.search.metric
    return "score" if metric == METRIC else metric.replace("_", " ")
