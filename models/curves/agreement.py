"""Whether what the past predicts agrees with what is seen."""

import numpy as np

_ENOUGH = 12
"""Pairs without which nothing can be said."""
_LEAST = 0.15
"""On published curves, true pasts come to 0.2 to 1 after eight configurations, false ones to less
than 0.15."""


class Agreement:
    """Counts pairs of configurations whose predictions stand in the order of their scores.

    Goodman and Kruskal, Measures of Association for Cross Classifications, JASA 49, 1954.
    """

    def __init__(self) -> None:
        self._predicted: list[float] = []
        self._seen: list[float] = []
        self._pairs = 0
        self._sum = 0.0

    def add(self, predicted: float, seen: float) -> None:
        """Takes the predicted score of a configuration's first rung and what came of it."""
        signs = np.sign(predicted - np.array(self._predicted)) * np.sign(
            seen - np.array(self._seen)
        )
        self._pairs += int(np.count_nonzero(signs))
        self._sum += float(signs.sum())
        self._predicted.append(float(predicted))
        self._seen.append(seen)

    @property
    def gamma(self) -> float:
        """Goodman and Kruskal's: 1 all pairs in order, 0 chance, -1 all reversed."""
        return self._sum / self._pairs if self._pairs else 1.0

    @property
    def is_known(self) -> bool:
        """Whether enough was seen to say something."""
        return self._pairs >= _ENOUGH

    @property
    def holds(self) -> bool:
        """Whether to go on trusting the past."""
        return not self.is_known or self.gamma > _LEAST
