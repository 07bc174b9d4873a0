"""Average-rank warm start: the bar that a warm-started search must beat.

The configurations that the sources tried are proposed in the order of their mean rank over the
sources; it learns nothing from the trials of the target. It needs sources that share their
configurations, which a benchmark can arrange and users cannot. When the list is used up, random
configurations follow.
"""

import json
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from benchmarks.warm_start.methods.interface import (
    Problem,
    Proposal,
    best_so_far,
    usable_sources,
)
from benchmarks.warm_start.problem import sample
from models.history.past_search import PastSearch
from models.history.search_space import Values


class AverageRank:
    """A list of configurations, gone through from the top."""

    def __init__(self, problem: Problem) -> None:
        """Ranks the configurations of all sources of the problem's own space."""
        self._problem = problem
        self._list = by_average_rank(usable_sources(problem))
        self._generator = np.random.default_rng([problem.seed, 5])
        self._scores: list[float | None] = []

    def ask(self) -> Proposal:
        """The next of the list, then a random one."""
        position = len(self._scores)
        if position < len(self._list):
            return Proposal(self._list[position], self._problem.epochs)
        return Proposal(sample(self._problem.space, self._generator), self._problem.epochs)

    def tell(self, score: float | None) -> None:
        """Notes the score."""
        self._scores.append(score)

    def choose(self) -> int:
        """The trial with the best score."""
        return best_so_far(self._scores)

    def close(self) -> None:
        """Nothing is held."""


def by_average_rank(sources: Sequence[PastSearch]) -> list[Values]:
    """The sources' configurations, the best mean rank first.

    A rank counts as a share of its source's trials, so that short histories do not look better.
    """
    shares: dict[str, list[float]] = defaultdict(list)
    configurations: dict[str, Values] = {}
    for source in sources:
        ranks = rankdata(-source.scores) / len(source.scores)
        for values, rank in zip(source.values, ranks, strict=True):
            key = json.dumps(values, sort_keys=True)
            shares[key].append(float(rank))
            configurations[key] = values
    return [configurations[key] for key in sorted(shares, key=lambda each: np.mean(shares[each]))]
