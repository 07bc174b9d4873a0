"""From searches to one figure for each task, method and regime."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.warm_start.measures import (
    Measure,
    Scale,
    area,
    least_curve,
    regret_curve,
    scale_of,
    trials_to,
)
from benchmarks.warm_start.methods import IGNORE_THE_PAST
from benchmarks.warm_start.runs import Run
from benchmarks.warm_start.schedule import TaskResult


@dataclass(frozen=True)
class TaskFigures:
    """How a method did on one task in one regime, averaged over the seeds.

    Attributes:
        curve: regret after 1, 2, … trials, float64 [trials].
        area: mean regret over the first 25.
        least_area: likewise, of the best head so far by the test.
        trials_to_95: trials until 95 % of the best known score or accuracy is reached.
        trials_to_99: likewise.
        trials_to_95_of_way: trials until 95 % of the way from the median random configuration to
            the best known is made.
        trials_to_99_of_way: likewise.
        own_seconds: that the method takes for a trial, its start included.
        search_seconds: of a whole search, trainings included.
        seeds: searches that came out.
    """

    curve: NDArray[np.float64]
    area: float
    least_area: float
    trials_to_95: float
    trials_to_99: float
    trials_to_95_of_way: float
    trials_to_99_of_way: float
    own_seconds: float
    search_seconds: float
    seeds: int


@dataclass(frozen=True)
class Summary:
    """Everything that the tables and the plot show.

    Attributes:
        measure: of the regret.
        trials: of a search.
        groups: of each task, by name; the tasks in order.
        methods: names, in order.
        regimes: names, in order.
        figures: by regime, method and task; absent where no search came out.
        failures: searches that did not.
        alone: tasks that no other could serve as a source.
    """

    measure: Measure
    trials: int
    groups: Mapping[str, str]
    methods: tuple[str, ...]
    regimes: tuple[str, ...]
    figures: Mapping[tuple[str, str], Mapping[str, TaskFigures]]
    failures: tuple[Run, ...]
    alone: tuple[str, ...]

    def of(self, method: str, regime: str) -> Mapping[str, TaskFigures]:
        """By task; what a method that looks at no past does is the same in every regime."""
        known = "empty" if method in IGNORE_THE_PAST else regime
        return self.figures.get((known, method), {})


def summarise(
    results: Sequence[TaskResult],
    methods: Sequence[str],
    regimes: Sequence[str],
    trials: int,
    measure: Measure,
) -> Summary:
    """Computes all figures."""
    figures: dict[tuple[str, str], dict[str, TaskFigures]] = defaultdict(dict)
    for result in results:
        scale = scale_of(result.pooled, measure)
        runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
        for run in result.runs:
            if not run.failure:
                runs[run.regime, run.method].append(run)
        for key, members in runs.items():
            curves = [regret_curve(run, scale, measure, trials) for run in members]
            least = [least_curve(run, scale, measure, trials) for run in members]
            figures[key][result.name] = _figures(members, curves, least, scale)
    return Summary(
        measure=measure,
        trials=trials,
        groups={result.name: result.group for result in results},
        methods=tuple(methods),
        regimes=tuple(regimes),
        figures=figures,
        failures=tuple(run for result in results for run in result.runs if run.failure),
        alone=tuple(result.name for result in results if not result.sources),
    )


def _figures(
    runs: Sequence[Run],
    curves: Sequence[NDArray[np.float64]],
    least: Sequence[NDArray[np.float64]],
    scale: Scale,
) -> TaskFigures:
    own = [run.start_seconds + sum(step.own_seconds for step in run.steps) for run in runs]
    training = [sum(step.training_seconds for step in run.steps) for run in runs]

    def trials(regret: float) -> float:
        return float(np.mean([trials_to(curve, regret) for curve in curves]))

    return TaskFigures(
        curve=np.mean(curves, axis=0),
        area=float(np.mean([area(curve) for curve in curves])),
        least_area=float(np.mean([area(curve) for curve in least])),
        trials_to_95=trials(scale.regret(0.95 * scale.best)),
        trials_to_99=trials(scale.regret(0.99 * scale.best)),
        trials_to_95_of_way=trials(0.05),
        trials_to_99_of_way=trials(0.01),
        own_seconds=sum(own) / sum(len(run.steps) for run in runs),
        search_seconds=float(np.mean(own) + np.mean(training)),
        seeds=len(runs),
    )
