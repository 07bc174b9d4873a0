"""Whether the images of one site, camera or group of people are answered worse than all others.

Each value of each column of `evaluation.slices` is held against all other test images. How
probable such a gap is by chance is asked among images of the same class: if the model answered
each class alike everywhere, its right answers would be spread over the columns at random. So a
value whose classes are harder has a gap, but none that chance does not explain. Holm's correction
(S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979) then keeps the chance
that any of the values is called worse for no reason below what is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.judge.checks import CHANCE, Check
from components.judge.slices import column_groups
from models.data import example_schema
from models.intervals import Interval, independent_difference, share_interval
from models.number_text import interval_text
from models.wording import listed

NAME: Final = "max_slice_gap"
"""Key of the limit in `evaluation`."""
_LEAST: Final = 10
"""Test images of a value; fewer show nothing, and would take from what the others show."""
_DRAWS: Final = 5_000
_NAMED: Final = 3


@dataclass(frozen=True)
class Gap:
    """How the images of one value are answered beside all others.

    Attributes:
        column: of the user's data.
        value: in it.
        images: test images with that value.
        accuracy: of these.
        accuracy_interval: the 95 % interval of that accuracy.
        others: accuracy of all other test images.
        gap: by how much theirs is better; negative where it is worse.
        gap_interval: the 95 % interval of the gap.
        chance: probability that one of all the values shows such a gap by chance, 0..1.
    """

    column: str
    value: str
    images: int
    accuracy: float
    accuracy_interval: Interval
    others: float
    gap: float
    gap_interval: Interval
    chance: float

    @property
    def words(self) -> str:
        """The gap in a few words."""
        return (
            f"{self.column} = {self.value!r} {self.gap:.3f} {interval_text(self.gap_interval)} "
            f"({self.accuracy:.3f} on {self.images} images, {self.others:.3f} on all others)"
        )


def find_gaps(
    columns: Mapping[str, NDArray[Any]], truth: NDArray[np.integer], right: NDArray[np.bool_]
) -> tuple[Gap, ...]:
    """Compares each value of each column with all other images.

    Args:
        columns: feature name to values [n]; those of `example_schema.slice_feature` are taken.
        truth: class of each image, int [n]; -1 for one that the model lacks.
        right: whether each image is answered rightly, bool [n].

    Returns:
        The gaps of all values with at least 10 images, the least probable by chance first.
    """
    random = np.random.default_rng(0)
    found = []
    for feature, values in columns.items():
        column = example_schema.column_of(feature)
        if column is None:
            continue
        for value, inside in column_groups(values):
            if _LEAST <= inside.sum() < len(inside):
                found.append(((column, value, inside), _by_chance(inside, truth, right, random)))
    chances = _holm([chance for _, chance in found])
    gaps = [
        _gap(*slice_, right, chance) for (slice_, _), chance in zip(found, chances, strict=True)
    ]
    return tuple(sorted(gaps, key=lambda each: (each.chance, -each.gap)))


def check_gaps(gaps: Sequence[Gap], limit: float) -> Check:
    """Fails where a gap is larger than the limit and larger than chance explains.

    Args:
        gaps: of `find_gaps`.
        limit: most accuracy that the images of one value may lack.
    """
    if not gaps:
        words = f"No value of evaluation.slices has {_LEAST} test images with others beside them"
        return Check(NAME, True, None, limit, words)
    behind = [each for each in gaps if each.gap > 0 and each.chance < CHANCE]
    failed = [each for each in behind if each.gap > limit + 1e-9]
    told = failed or behind
    if not told:
        worst = max(gaps, key=lambda each: each.gap)
        words = f"No slice falls behind by more than chance explains; the most is {worst.words}"
        return Check(NAME, True, worst.gap, limit, words, worst.gap_interval)
    words = (
        f"{len(told)} of {len(gaps)} slices {'falls' if len(told) == 1 else 'fall'} behind all "
        f"other images, which is no chance: {listed([each.words for each in told], _NAMED, '; ')}"
    )
    if failed:
        words += f"; {limit:g} is allowed (evaluation.{NAME})"
    worst = max(told, key=lambda each: each.gap)
    return Check(NAME, not failed, worst.gap, limit, words, worst.gap_interval)


def _by_chance(
    inside: NDArray[np.bool_],
    truth: NDArray[np.integer],
    right: NDArray[np.bool_],
    random: np.random.Generator,
) -> float:
    """Probability of so few right answers inside, were they spread at random in each class."""
    drawn = np.zeros(_DRAWS, np.int64)
    for each in np.unique(truth):
        members = truth == each
        hits = int(right[members].sum())
        drawn += random.hypergeometric(
            hits, int(members.sum()) - hits, int(inside[members].sum()), _DRAWS
        )
    fewer = int((drawn <= right[inside].sum()).sum())
    return (fewer + 1) / (_DRAWS + 1)


def _holm(chances: Sequence[float]) -> list[float]:
    """Corrects probabilities for the number of them."""
    corrected = [0.0] * len(chances)
    least = 0.0
    for place, row in enumerate(np.argsort(chances, kind="stable")):
        least = max(least, min(1.0, (len(chances) - place) * chances[row]))
        corrected[row] = least
    return corrected


def _gap(
    column: str, value: str, inside: NDArray[np.bool_], right: NDArray[np.bool_], chance: float
) -> Gap:
    images, hits = int(inside.sum()), int(right[inside].sum())
    others, other_hits = int((~inside).sum()), int(right[~inside].sum())
    return Gap(
        column=column,
        value=value,
        images=images,
        accuracy=hits / images,
        accuracy_interval=share_interval(hits, images),
        others=other_hits / others,
        gap=other_hits / others - hits / images,
        gap_interval=independent_difference(other_hits, others, hits, images),
        chance=chance,
    )
