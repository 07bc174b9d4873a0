"""What a learning curve will come to, and what an epoch will cost, by the curves of earlier tasks.

All is learned once, before the search; while it runs, a prediction is a walk down some trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.curves.encoding import Encoder
from models.curves.forest import Forest
from models.curves.learning_curve import CurveTask, Floats, LearningCurve
from models.curves.rungs import next_rung
from models.history.search_space import Value

HORIZONS = 7
"""Rungs that are looked ahead, which from the start is to the 64th epoch."""
_ENDLESS = 1 << 30
_LEAST_GAP = 1e-3


@dataclass(frozen=True)
class Outlook:
    """What curves may come to.

    Attributes:
        mean: expected best score at each of the next rungs, float64 [n, h].
        deviation: standard deviation of it, above 0, float64 [n, h].
    """

    mean: Floats
    deviation: Floats


class Surrogate:
    """Learned from earlier tasks.

    Of a curve is learned what share of its distance from a perfect score it makes good until each
    of the next rungs, so that tasks of unlike difficulty teach each other. Curves that have not
    begun and those that have are learned apart: of the first, the configuration is all there is to
    see, with the score that it starts from where that is known; of the others, the curve so far
    tells most.
    """

    def __init__(self, tasks: Sequence[CurveTask], seed: int = 0) -> None:
        """Learns; a few seconds for some thousand curves.

        Args:
            tasks: earlier ones.
            seed: of the trees.

        Raises:
            ValueError: there is no curve with an epoch in any task.
        """
        tasks = [task for task in tasks if task.begun]
        if not tasks:
            raise ValueError("expected earlier tasks with a learning curve, but got none")
        self._encoder = Encoder(tasks)
        points = [self.points(task, [curve.values for curve in task.begun]) for task in tasks]
        curves = [curve for task in tasks for curve in task.begun]
        rows = np.concatenate(points)
        self._unbegun = Forest(rows, np.array([_gains(curve, 0) for curve in curves]), seed)
        started = [number for number, curve in enumerate(curves) if curve.start is not None]
        self._started = (
            Forest(
                np.array([[*rows[number], curves[number].start] for number in started]),
                np.array([_gains(curves[number], 0, curves[number].start) for number in started]),
                seed,
            )
            if started
            else None
        )
        cuts = [
            (number, epochs) for number, curve in enumerate(curves) for epochs in _pauses(curve)
        ]
        self._begun = (
            Forest(
                np.array(
                    [[*rows[number], *_shape(curves[number].scores[:at])] for number, at in cuts]
                ),
                np.array([_gains(curves[number], at) for number, at in cuts]),
                seed,
            )
            if cuts
            else None
        )
        sizes = np.repeat([task.size for task in tasks], [len(each) for each in points])
        seconds = np.array([np.mean(curve.seconds) for curve in curves])
        trained = np.array([not _broke_off(curve) for curve in curves])
        trained |= not trained.any()
        costs = np.log(seconds / sizes)[trained, None]
        self._cost = Forest(rows[trained], costs, seed)

    def points(self, task: CurveTask, configurations: Sequence[Mapping[str, Value]]) -> Floats:
        """Configurations on a task as the trees see them, float64 [n, p]; n is at least 1."""
        columns = self._encoder.configurations(configurations)
        figures = self._encoder.task(task)
        return np.column_stack([columns, np.tile(figures, (len(columns), 1))])

    def seconds(self, task: CurveTask, points: Floats) -> Floats:
        """Seconds that an epoch of each is expected to take, float64 [n]."""
        return np.exp(self._cost.predict(points)[0][:, 0]) * task.size

    def outlook(
        self, points: Floats, scores: Sequence[float] = (), start: float | None = None
    ) -> Outlook:
        """What curves may come to.

        Args:
            points: of their configurations, float64 [n, p].
            scores: of all of them so far; empty where they have not begun.
            start: score that all of them start from; None where it is not known.
        """
        base = max(scores, default=0.0)
        if scores and self._begun is not None:
            shape = np.tile(_shape(scores), (len(points), 1))
            mean, deviation = self._begun.predict(np.column_stack([points, shape]))
        elif not scores and start is not None and self._started is not None:
            base = start
            known = np.full(len(points), start)
            mean, deviation = self._started.predict(np.column_stack([points, known]))
        else:
            mean, deviation = self._unbegun.predict(points)
        gap = max(1 - base, _LEAST_GAP)
        return Outlook(base + gap * mean, gap * deviation)


def _shape(scores: Sequence[float]) -> tuple[float, ...]:
    """Length, best, last and first score, and what the second half of the epochs added."""
    best = max(scores)
    earlier = max(scores[: len(scores) // 2], default=0.0)
    return float(len(scores)), best, scores[-1], scores[0], best - earlier


def _gains(curve: LearningCurve, epochs: int, start: float | None = None) -> list[float]:
    """Share of the distance to a perfect score made good from here to each of the next rungs."""
    base, stop, gains = curve.best(epochs) if start is None else start, epochs, []
    for _ in range(HORIZONS):
        stop = next_rung(stop, _ENDLESS)
        gain = (curve.best(stop) - base) / max(1 - base, _LEAST_GAP)
        gains.append(gain if curve.reached(stop) else np.nan)
    return gains


def _pauses(curve: LearningCurve) -> list[int]:
    """Rungs of a curve after which the next one is known."""
    return [
        at
        for at in (1 << place for place in range(curve.epochs.bit_length()))
        if at < curve.epochs and curve.reached(next_rung(at, _ENDLESS))
    ]


def _broke_off(curve: LearningCurve) -> bool:
    """Whether it ended within an epoch, whose seconds are then not those of a whole one."""
    return curve.ended and curve.epochs == 1
