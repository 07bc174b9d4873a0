"""Near-duplicate search on 64-bit perceptual hashes.

Two images count as near-duplicates when their hashes differ in at most a few bits *and* their
brightness, contrast, sharpness and shape agree. The hash alone cries wolf on small or plain
images (handwritten digits, icons, blank pages), where the few low frequencies it keeps are shared
by many different pictures; the second condition is cheap and removes most such pairs.

The search is by banding: hashes within distance d agree exactly on at least one of d + 1 bands
(pigeonhole principle), so only images that share a band are compared. Norouzi, Punjani and Fleet,
"Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

HASH_BITS: Final = 64
_LEAST_SHARPNESS: Final = 1e-5
"""Keeps the ratio of two nearly flat images' sharpness from being noise."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What is compared beside the hash, with an entry for each image.

    Attributes:
        phash: uint64 [n], perceptual hashes.
        brightness_mean: float32 [n], mean luma in 0..1.
        brightness_std: float32 [n], standard deviation of luma in 0..1.
        sharpness: float32 [n], variance of the Laplacian of luma.
        aspect: float32 [n], width divided by height.
    """

    phash: NDArray[np.uint64]
    brightness_mean: NDArray[np.float32]
    brightness_std: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    aspect: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> "Appearance":
        """The images at `rows` alone."""
        return Appearance(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two images may be apart and still be near-duplicates.

    The defaults hold a copy that was resized or compressed again at JPEG quality 50, and refuse
    two pictures that merely have the same layout.

    Attributes:
        bits: hash bits that may differ, 0..16.
        brightness: allowed difference of the mean and of the standard deviation of luma.
        sharpness: allowed ratio between the two sharpnesses, minus one.
        aspect: allowed ratio between the two aspect ratios, minus one.
        least_contrast: an image with a smaller standard deviation of luma is never reported:
            its hash is made of noise.
    """

    bits: int = 2
    brightness: float = 0.02
    sharpness: float = 0.5
    aspect: float = 0.05
    least_contrast: float = 0.02


def parse_hashes(hexadecimal: list[str]) -> NDArray[np.uint64]:
    """Turns hashes of 16 hex digits into uint64 [n]."""
    return np.array([int(digits, 16) for digits in hexadecimal], dtype=np.uint64)


def near_duplicates(look: Appearance, tolerance: Tolerance) -> NDArray[np.int64]:
    """Finds all pairs of near-duplicates.

    Time grows about linearly with the number of images for a small `tolerance.bits`, as long as
    few images share both a band of their hash and their brightness; it is never much worse than
    comparing every pair.

    Args:
        look: the images.
        tolerance: how alike two of them must be.

    Returns:
        int64 [p, 2], indices (i, j) with i < j, sorted, each pair once.
    """
    informative = np.flatnonzero(look.brightness_std >= tolerance.least_contrast)
    measures = _measures(look, tolerance)
    candidates = _candidates(look.phash, measures[0], informative, tolerance.bits + 1)
    pairs = [_confirmed(pair, look.phash, measures, tolerance.bits) for pair in candidates]
    found = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    return np.unique(np.sort(found, axis=1), axis=0)


def _confirmed(
    candidates: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    measures: NDArray[np.float64],
    bits: int,
) -> NDArray[np.int64]:
    """Those of the pairs [c, 2] that agree in hash and in every measure, [p, 2]."""
    left, right = candidates[:, 0], candidates[:, 1]
    close = np.bitwise_count(hashes[left] ^ hashes[right]) <= bits
    pairs = candidates[close]
    apart = np.abs(measures[:, pairs[:, 0]] - measures[:, pairs[:, 1]])
    return pairs[(apart <= 1.0).all(axis=0)]


def _measures(look: Appearance, tolerance: Tolerance) -> NDArray[np.float64]:
    """What is compared beside the hash, scaled so that a difference of 1 is the tolerance.

    Returns:
        float64 [4, n]; brightness first. Ratios are compared as differences of logarithms.
    """
    return np.stack(
        [
            look.brightness_mean / tolerance.brightness,
            look.brightness_std / tolerance.brightness,
            np.log(look.sharpness + _LEAST_SHARPNESS) / np.log1p(tolerance.sharpness),
            np.log(look.aspect) / np.log1p(tolerance.aspect),
        ]
    ).astype(np.float64)


def _candidates(
    hashes: NDArray[np.uint64],
    brightness: NDArray[np.float64],
    indices: NDArray[np.int64],
    bands: int,
) -> Iterator[NDArray[np.int64]]:
    """Yields blocks [c, 2] of pairs that agree on a band, and in brightness to within 1."""
    edges = np.linspace(0, HASH_BITS, bands + 1).astype(int)
    for low, high in pairwise(edges):
        mask = np.uint64((1 << int(high - low)) - 1)
        keys = (hashes[indices] >> np.uint64(low)) & mask
        order = np.lexsort((brightness[indices], keys))
        ordered = indices[order]
        for rows in _neighbours(keys[order], brightness[ordered]):
            yield ordered[rows]


def _neighbours(
    keys: NDArray[np.uint64], brightness: NDArray[np.float64]
) -> Iterator[NDArray[np.int64]]:
    """Yields blocks [c, 2] of all pairs with equal keys whose brightness differs by at most 1.

    Rows are sorted by key, then by brightness. Each is paired with the one `shift` places on, for
    growing shifts: a row that has no partner at one shift has none at a greater one, so the work
    is proportional to the number of pairs, and every step is vectorised over all rows left.
    """
    rows = np.arange(len(keys))
    shift = 0
    while len(rows):
        shift += 1
        rows = rows[rows + shift < len(keys)]
        partners = rows + shift
        near = keys[rows] == keys[partners]
        near &= brightness[partners] - brightness[rows] <= 1.0
        rows = rows[near]
        yield np.stack([rows, rows + shift], axis=1)
