"""Stops trials that fall behind, and searches that no longer gain.

Measured on learning curves of 200 heads on five tasks, in searches of 20 trials: the rule for
trials saves a quarter of the epochs for 0.02 points of the best validation score. A regression on
the curves of other tasks in place of the pace saved less for the same loss, so that curves of
earlier searches are not asked.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

ShouldStop = Callable[[Sequence[float]], bool]
"""Told a training's scores, one for each epoch so far; true to stop it there."""

PATIENCE: Final = 5
"""Epochs without a better score after which a head's training ends, in searches and at last."""

_FIRST_EPOCHS = 4
"""Epochs before a trial is judged: earlier ones say little of the last."""
_FEWEST_TRIALS = 5
_PACE_EPOCHS = 3
_REACH = 3.0
"""A trial is credited with gaining so many times what it gained in its last `_PACE_EPOCHS`."""
_SMALLEST_ERROR = 1e-3

_UNDECIDED = 3
"""Trials in a row that must expect too little: the expectation itself is noisy."""


class TrialStopper:
    """Stops a training that is behind the others and too slow to catch up with the best.

    Both must hold: the best score so far is below the median of the other trials' at the same
    epoch (the median rule of Golovin et al., Google Vizier, KDD 2017; stopped trials stay in the
    median at what they had reached, or it would rise with each that is stopped), and the error,
    falling on as it lately fell, would not come down to that of the best trial.

    A stopped trial keeps the score that it had reached, which is below what it would have come to:
    the order among bad trials blurs, but a good one it cannot become.
    """

    def __init__(self) -> None:
        """Starts without any trial, when nothing is stopped."""
        self._ended: list[NDArray[np.float64]] = []

    def should_stop(self, scores: Sequence[float]) -> bool:
        """Whether to stop a training.

        Args:
            scores: one for each epoch so far, at most 1, higher is better.
        """
        if len(scores) < _FIRST_EPOCHS or len(self._ended) < _FEWEST_TRIALS:
            return False
        best = np.maximum.accumulate(scores)
        others = [curve[min(len(best), len(curve)) - 1] for curve in self._ended]
        if best[-1] >= np.median(others):
            return False
        return bool(_within_reach(best) < max(curve[-1] for curve in self._ended))

    def ended(self, scores: Sequence[float]) -> None:
        """Takes note of a trial that ended, stopped or not.

        Args:
            scores: one for each epoch that it had, at least one.
        """
        self._ended.append(np.maximum.accumulate(scores))


def _within_reach(best: NDArray[np.float64]) -> float:
    """The score that a training may still come to, from its best scores so far, [epochs]."""
    errors = np.log(np.maximum(1.0 - best, _SMALLEST_ERROR))
    pace = float(errors[-1] - errors[-1 - _PACE_EPOCHS])
    return float(1.0 - np.exp(errors[-1] + _REACH * pace))


class SearchStopper:
    """Ends a search when one more trial is not expected to gain enough."""

    def __init__(
        self, expected_gain: Callable[[], float], threshold: float, fewest_trials: int
    ) -> None:
        """Takes the model's expectation and what it must be.

        Args:
            expected_gain: of the best score, by the most promising next trial; in units of the
                score. Asked after each trial.
            threshold: less than this is not worth a trial; 0 never ends a search.
            fewest_trials: made in any case.
        """
        self._expected_gain = expected_gain
        self._threshold = threshold
        self._fewest = fewest_trials
        self._below = 0

    def reason_to_end(self, trials: int) -> str:
        """Judges the search after one more trial.

        Args:
            trials: made so far.

        Returns:
            Why to end the search, in words; empty to go on.
        """
        if not self._threshold or trials < self._fewest:
            return ""
        gain = self._expected_gain()
        self._below = self._below + 1 if gain < self._threshold else 0
        if self._below < _UNDECIDED:
            return ""
        return (
            f"ended after {trials} trials: the next one was expected to gain {gain:.2g} of the "
            f"score, less than {self._threshold:.2g} for {_UNDECIDED} trials in a row"
        )
