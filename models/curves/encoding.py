"""Configurations and tasks as numbers that trees can split."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.curves.learning_curve import CurveTask, Floats
from models.history.search_space import Value

_MISSING = -0.5
"""Of a number that a configuration does not have; the others lie from 0 to 1."""
_PRIOR = 3.0
"""Curves that a choice is held to be like all others by, before its own count."""


class Encoder:
    """Columns of a configuration on a task, as earlier tasks teach to write them.

    A number becomes its place among the values seen, from 0 to 1, so that its scale does not
    matter. A text becomes two numbers: how high the curves with it ended, and how many seconds they
    took an example, each against its task's others; a new text is like the mean one.
    """

    def __init__(self, tasks: Sequence[CurveTask]) -> None:
        """Looks at the values of all tasks.

        Args:
            tasks: to learn from, at least one; each with a curve that was begun.
        """
        self._places: dict[str, Floats] = {}
        self._choices: dict[str, dict[Value, Floats]] = {}
        rows = [
            (curve.values, np.array(merits))
            for task in tasks
            for curve, merits in zip(task.begun, _merits(task), strict=True)
        ]
        for name in dict.fromkeys(name for values, _ in rows for name in values):
            pairs = [(values[name], merits) for values, merits in rows if name in values]
            if any(isinstance(value, str) for value, _ in pairs):
                self._choices[name] = _means(pairs)
            else:
                self._places[name] = _distinct(value for value, _ in pairs)
        names = dict.fromkeys(name for task in tasks for name in task.figures)
        self._figures = {
            name: _distinct(task.figures[name] for task in tasks if name in task.figures)
            for name in names
        }

    def configurations(self, configurations: Sequence[Mapping[str, Value]]) -> Floats:
        """A row each, float64 [n, p]; n is at least 1."""
        columns = [
            _place(places, [values.get(name) for values in configurations])
            for name, places in self._places.items()
        ]
        unknown = np.zeros(2)
        for name, means in self._choices.items():
            merits = [means.get(values.get(name, ""), unknown) for values in configurations]
            columns.extend(np.array(merits).T)
        return np.column_stack(columns)

    def task(self, task: CurveTask) -> Floats:
        """The task's figures, float64 [q]."""
        return np.concatenate(
            [_place(places, [task.figures.get(name)]) for name, places in self._figures.items()]
        )


def _merits(task: CurveTask) -> Floats:
    """Best score and log seconds of an epoch of each curve, less the task's mean; [n, 2]."""
    merits = np.array([[curve.best(), np.log(np.mean(curve.seconds))] for curve in task.begun])
    return merits - merits.mean(axis=0)


def _means(pairs: Sequence[tuple[Value, Floats]]) -> dict[Value, Floats]:
    gathered: dict[Value, list[Floats]] = {}
    for value, merits in pairs:
        gathered.setdefault(value, []).append(merits)
    return {value: np.sum(each, axis=0) / (len(each) + _PRIOR) for value, each in gathered.items()}


def _distinct(values: Iterable[Value]) -> Floats:
    return np.unique(np.array([float(value) for value in values]))


def _place(places: Floats, values: Iterable[Value | None]) -> Floats:
    """Place of each value among those seen, float64 [n]."""
    numbers = np.array([_number(value) for value in values])
    placed = np.interp(numbers, places, np.linspace(0, 1, len(places)))
    return np.where(np.isnan(numbers), _MISSING, placed)


def _number(value: Value | None) -> float:
    return np.nan if value is None or isinstance(value, str) else float(value)
