"""What MLflow keeps of an experiment, in whichever store, as the past of a search."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.history.imports.foreign_past import ForeignPast, ForeignTrial, Wanted
from models.history.imports.scores import choose_direction
from models.history.imports.times import from_seconds, latest
from models.history.imports.values import typed
from models.history.search_space import Value

_FINISHED = (3, "FINISHED")
_FAILED = (4, 5, "FAILED", "KILLED")
_MOST_MILLISECONDS = 10**15


@dataclass(frozen=True)
class Point:
    """One value of a metric.

    Attributes:
        step: that it was logged for.
        time: milliseconds since 1970.
        value: of the metric.
    """

    step: int
    time: int
    value: float


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        parameters: text, by name.
        points: of the score, in any order.
        status: number in the file store, word in the database.
        began: milliseconds since 1970; 0 where not known.
        ended: the same.
    """

    parameters: dict[str, str]
    points: Sequence[Point]
    status: object
    began: int
    ended: int

    @property
    def has_ended(self) -> bool:
        """Whether the run came to a score or failed; to end well without one is neither."""
        return self.status in _FAILED or (self.status in _FINISHED and bool(self.points))

    def trial(self, values: dict[str, Value | None]) -> ForeignTrial:
        """The run as a trial; the score is the last value, as MLflow shows it."""
        is_finished = self.status in _FINISHED
        points = sorted(self.points, key=lambda point: (point.step, point.time))
        steps = [point.step for point in points]
        is_curve = len(steps) > 1 and steps[0] in (0, 1)
        is_curve = is_curve and steps == list(range(steps[0], steps[0] + len(steps)))
        times = [self.began, *(point.time for point in points)]
        gaps = tuple((after - before) / 1000 for before, after in itertools.pairwise(times))
        return ForeignTrial(
            values,
            points[-1].value if points and is_finished else None,
            scores=tuple(point.value for point in points) if is_curve else (),
            seconds=gaps if is_curve and self.began else (),
            took=max(self.ended - self.began, 0) / 1000 if self.began and self.ended else 0.0,
            message="" if is_finished else "MLflow has it as failed or killed",
        )


def experiment_past(
    name: str, metric: str, runs: Sequence[Run], wanted: Wanted, where: Path
) -> ForeignPast:
    """An experiment as a past.

    Args:
        name: of the experiment.
        metric: the score.
        runs: that were not deleted.
        wanted: what the user says.
        where: the experiment lies.

    Raises:
        ForeignPastError: which way the score is better is in doubt.
    """
    ended = sorted((run for run in runs if run.has_ended), key=lambda run: run.began)
    notes = []
    if len(ended) < len(runs):
        count = len(runs) - len(ended)
        notes.append(f"{count} runs that had not ended or have no {metric} were passed over.")
    values = _typed([run.parameters for run in ended])
    return ForeignPast(
        tuner="MLflow",
        name=name,
        metric=metric,
        direction=choose_direction(metric, wanted, f"{where}, experiment {name!r}"),
        trials=[run.trial(each) for run, each in zip(ended, values, strict=True)],
        created=latest((from_seconds(run.ended / 1000) for run in ended), where),
        notes=notes,
    )


def milliseconds(value: object) -> int:
    """A time since 1970; 0 for what can be none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value < _MOST_MILLISECONDS else 0


def _typed(parameters: list[dict[str, str]]) -> list[dict[str, Value | None]]:
    """The text of each parameter as numbers or truth values where all its runs have such."""
    names = list(dict.fromkeys(name for each in parameters for name in each))
    columns = {name: typed([each.get(name, "") for each in parameters]) for name in names}
    return [{name: columns[name][row] for name in names} for row in range(len(parameters))]
