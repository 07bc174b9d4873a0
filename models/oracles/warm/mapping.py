"""Earlier searches in the space of a new one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.history.contribution import LeftOut
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.oracles.warm.encoding import Floats, SpaceEncoder

_FEWEST_TRIALS = 5
_FEWEST_SHARED = 0.5
_HAS_VALUE = 0.8
"""Share of the trials in which a parameter applies that need a value of it to count as shared."""

_MOSTLY_WITHIN = 0.5


@dataclass(frozen=True)
class Mapped:
    """An earlier search in the new search's space.

    Attributes:
        past: the search.
        shared: which parameters of the new search it has, bool [p].
        points: its usable trials, float64 [n, p]; NaN where a parameter is not shared or does not
            apply to the trial.
        scores: float64 [n].
    """

    past: PastSearch
    shared: NDArray[np.bool_]
    points: Floats
    scores: Floats

    def best_points(self, count: int) -> Floats:
        """Of its best trials, float64 [count, p]."""
        return self.points[np.argsort(-self.scores, kind="stable")[:count]]

    def similarity(self, task: TaskDescription | None) -> float:
        """Belief in it before the first trial, above 0; to be compared among searches.

        Numbers of images and classes tell a little about which hyperparameters will do; the
        distance between embeddings tells next to nothing. What counts more is what trials show.
        """
        other = self.past.task
        if task is None or other is None:
            return 1.0
        if task.data_fingerprint and other.data_fingerprint == task.data_fingerprint:
            return 4.0
        apart = abs(np.log(max(other.images, 1) / max(task.images, 1)))
        apart += abs(np.log(max(other.classes, 1) / max(task.classes, 1)))
        return float(np.exp(-0.25 * apart))


def map_past(past: PastSearch, encoder: SpaceEncoder) -> Mapped | LeftOut:
    """Takes the trials of an earlier search that the new one's space has.

    A trial with a value outside a range is left out. Where most values of a parameter lie outside,
    it is likely to mean something else, such as the learning rate of another optimiser, and the
    search is not heard about it; nor, the narrowest first, where too few trials would remain.

    Returns:
        The search, or why it cannot be learned from.
    """
    count = len(encoder.parameters)
    if not count:
        return LeftOut(name=past.name, reason="no hyperparameter of this search varies")
    points = np.array([encoder.locate(values) for values in past.values]).reshape(-1, count)
    applies = encoder.applies(points)
    asked = applies.sum(axis=0)
    given = (applies & ~np.isnan(points)).sum(axis=0)
    shared = (asked > 0) & (given >= _HAS_VALUE * asked)
    needed = _FEWEST_SHARED * (asked > 0).sum()
    if shared.sum() < needed:
        where = "" if asked.all() else " that apply to its trials"
        reason = (
            f"it has {shared.sum()} of this search's {(asked > 0).sum()} hyperparameters{where}"
        )
        return LeftOut(name=past.name, reason=reason)
    inside = np.isfinite(points) | ~applies
    often = inside.sum(axis=0)
    heard = shared & (often >= _MOSTLY_WITHIN * len(points))
    while heard.sum() > needed and inside[:, heard].all(axis=1).sum() < _FEWEST_TRIALS:
        heard[np.where(heard, often, len(points) + 1).argmin()] = False
    usable = inside[:, heard].all(axis=1)
    if heard.sum() < needed or usable.sum() < _FEWEST_TRIALS:
        within = inside[:, shared].all(axis=1).sum()
        reason = f"{within} of its {len(usable)} trials lie in this search's ranges, too few"
        return LeftOut(name=past.name, reason=reason)
    scores = past.scores[usable]
    if scores.max() - scores.min() < 1e-12:
        return LeftOut(name=past.name, reason="all of its trials scored the same")
    return Mapped(past, heard, np.where(heard, points[usable], np.nan), scores)
