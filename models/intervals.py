"""How sure a figure is: 95 % intervals for what was measured on some images out of many.

A test split is a sample. Another one of its size would give another figure; in 95 of 100 cases the
interval holds the figure that endless images would give. It says nothing of images of another kind.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
"""Lower and upper end."""

_Z = NormalDist().inv_cdf(0.975)
_RESAMPLES = 500


def share_interval(hits: int, images: int) -> Interval:
    """Gives Wilson's score interval of a share, which also holds near 0 and 1 and for few images.

    Args:
        hits: images that count, such as those answered rightly.
        images: in all; with none of them the share may be anything.

    >>> [round(end, 3) for end in share_interval(9, 10)]
    [0.596, 0.982]

    Reference: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if not images:
        return 0.0, 1.0
    share, extra = hits / images, _Z**2 / images
    centre = share + extra / 2
    spread = _Z * ((share * (1 - share) + extra / 4) / images) ** 0.5
    # At the ends rounding would leave a trace of 1e-17.
    low = 0.0 if hits == 0 else (centre - spread) / (1 + extra)
    high = 1.0 if hits == images else (centre + spread) / (1 + extra)
    return low, high


def interval_of(share: float | None, images: int | None) -> Interval | None:
    """Gives the interval of a share of images; None where either is unknown."""
    if share is None or not images:
        return None
    return share_interval(round(share * images), images)


def paired_difference(both: int, first: int, second: int, neither: int) -> Interval:
    """Gives the interval of the difference of two shares on the same images, first minus second.

    Args:
        both: images that count for both.
        first: images that count for the first alone.
        second: images that count for the second alone.
        neither: images that count for neither; there must be an image in all.

    Reference: Newcombe, Improved Confidence Intervals for the Difference between Binomial
    Proportions Based on Paired Data, 1998, method 10.
    """
    images = both + first + second + neither
    one, other = (both + first) / images, (both + second) / images
    low, high = share_interval(both + first, images)
    other_low, other_high = share_interval(both + second, images)
    link = _correlation(both, first, second, neither)

    def reach(a: float, b: float) -> float:
        return max(a * a - 2 * link * a * b + b * b, 0.0) ** 0.5

    difference = one - other
    return (
        max(difference - reach(one - low, other_high - other), -1.0),
        min(difference + reach(other - other_low, high - one), 1.0),
    )


def independent_difference(hits: int, images: int, other_hits: int, other_images: int) -> Interval:
    """Gives the interval of the difference of two shares of different images, first minus second.

    Args:
        hits: images that count, of the first.
        images: of the first in all, at least one.
        other_hits: images that count, of the second.
        other_images: of the second in all, at least one.

    >>> [round(end, 4) for end in independent_difference(56, 70, 48, 80)]
    [0.0524, 0.3339]

    Reference: Newcombe, Interval Estimation for the Difference between Independent Proportions,
    1998, method 10, from whose table 2 the example is.
    """
    one, other = hits / images, other_hits / other_images
    low, high = share_interval(hits, images)
    other_low, other_high = share_interval(other_hits, other_images)
    return (
        max(one - other - math.hypot(one - low, other_high - other), -1.0),
        min(one - other + math.hypot(other - other_low, high - one), 1.0),
    )


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    product = float(both * neither - first * second)
    if product > 0:  # a correction for continuity, as the reference has it
        product = max(product - (both + first + second + neither) / 2, 0.0)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    return product / float(margins) ** 0.5 if margins else 0.0


def mean_interval(values: NDArray[Any], within: Interval) -> Interval:
    """Gives the interval of a mean of many values, by its standard error.

    Args:
        values: one for each image, at least one.
        within: what the mean can be at all.
    """
    mean = float(np.mean(values))
    reach = _Z * float(np.std(values)) / len(values) ** 0.5
    return max(mean - reach, within[0]), min(mean + reach, within[1])


def bootstrap_interval(
    measured: float,
    statistic: Callable[[NDArray[np.integer]], float],
    images: int,
    within: Interval,
) -> Interval:
    """Gives the basic bootstrap interval of any figure, by drawing images anew 500 times.

    Basic, as it corrects a figure that fewer images raise, such as a calibration error; where it
    leaves out the measured figure for that, it is widened to hold it.

    Args:
        measured: the figure of all images.
        statistic: the figure of some of the images, given as places, int [n].
        images: number of images.
        within: what the figure can be at all.
    """
    random = np.random.default_rng(0)
    drawn = [statistic(random.integers(0, images, images)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    ends = (2 * measured - float(high), 2 * measured - float(low))
    return max(min(ends[0], measured), within[0]), min(max(ends[1], measured), within[1])
