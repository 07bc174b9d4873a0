"""Cheap figures that describe one image: light, sharpness and a perceptual hash.

They are computed on a small luma thumbnail, so that they cost far less than decoding the image
and mean the same for an image whatever its size. Statistics, slices, near-duplicate search and
drift all read them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

THUMBNAIL_SIDE = 128
"""A thumbnail is the image halved until no side is longer than this many pixels."""
_LEAST_SIDE = 16
"""It is halved no further where its shorter side would come below this: of a strip of 2,000 by 20
pixels nothing but two rows would be left, in which all texts are one grey."""
_LONGEST_SIDE = 2048
"""It is halved all the same where its longer side is above this, whatever is left of the other."""

_HASH_GRID = 32
_HASH_SIDE = 8


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """What a thumbnail shows.

    Attributes:
        brightness_mean: mean luma, 0 (black) to 1 (white).
        brightness_std: standard deviation of luma, 0 to 0.5.
        sharpness: variance of the Laplacian of luma; low is blurred or flat.
        phash: 64-bit perceptual hash as 16 hex digits.
    """

    brightness_mean: float
    brightness_std: float
    sharpness: float
    phash: str


def thumbnail_factor(width: int, height: int) -> int:
    """Returns by what power of two an image of this size is reduced to its thumbnail.

    >>> thumbnail_factor(128, 96), thumbnail_factor(3000, 4000), thumbnail_factor(2000, 20)
    (1, 32, 1)
    """
    longer, shorter = max(width, height), min(width, height)
    factor = 1
    while longer > factor * _LONGEST_SIDE or (
        longer > factor * THUMBNAIL_SIDE and shorter >= 2 * factor * _LEAST_SIDE
    ):
        factor *= 2
    return factor


def describe(thumbnail: NDArray[np.uint8]) -> ImageStatistics:
    """Computes the figures of one image.

    Args:
        thumbnail: luma (ITU-R 601), uint8 [height, width], reduced by `thumbnail_factor`.

    Returns:
        Its figures.
    """
    luma = thumbnail.astype(np.float32)
    luma *= 1.0 / 255.0
    line = luma.ravel()
    return ImageStatistics(
        brightness_mean=_mean(line, line.size),
        brightness_std=_variance(line, line.size) ** 0.5,
        sharpness=_laplacian_variance(thumbnail),
        phash=perceptual_hash(luma),
    )


def perceptual_hash(luma: NDArray[np.float32]) -> str:
    """Hashes an image so that images that look alike differ in few bits.

    The hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions"
    (2010): the image is averaged onto a 32 x 32 grid, and each of the 64 lowest frequencies of
    its discrete cosine transform gives one bit, set where it exceeds their median. Averaging and
    transform are both linear, so here they are one matrix for each side.

    Args:
        luma: float32 [height, width].

    Returns:
        16 hex digits, first row first.
    """
    height, width = luma.shape
    frequencies = _low_frequencies(height) @ luma @ _low_frequencies(width).T
    lower_median = np.sort(frequencies, axis=None)[_HASH_SIDE * _HASH_SIDE // 2 - 1]
    return np.packbits(frequencies > lower_median).tobytes().hex()


def _laplacian_variance(thumbnail: NDArray[np.uint8]) -> float:
    height, width = thumbnail.shape
    if min(height, width) < 3:
        return 0.0  # no pixel has four neighbours
    # On one line of pixels the neighbours above and below lie a row's width away. That is twice
    # as fast as slices of the square; the two columns that wrap around count for nothing.
    # Integers of 16 bits hold the result, from -1,020 to 1,020, in half the space of floats.
    line = thumbnail.astype(np.int16).ravel()
    inner = line.size - width
    edges = line[width:inner] * np.int16(-4)
    edges += line[: inner - width]
    edges += line[2 * width :]
    edges += line[width - 1 : inner - 1]
    edges += line[width + 1 : inner + 1]
    edges[::width] = edges[width - 1 :: width] = 0
    return _variance(edges.astype(np.float32), (height - 2) * (width - 2)) / 255.0**2


# On arrays of this size the methods of ndarray spend most of their time before the first sum.
def _mean(line: NDArray[np.float32], count: int) -> float:
    return float(np.add.reduce(line)) / count


def _variance(line: NDArray[np.float32], count: int) -> float:
    """Of `count` values, and of zeros beside them that do not count."""
    return max(float(line @ line) / count - _mean(line, count) ** 2, 0.0)


@lru_cache(maxsize=2 * THUMBNAIL_SIDE)
def _low_frequencies(size: int) -> NDArray[np.float32]:
    """Matrix [8, size]: area average onto 32 cells, then the first 8 cosine frequencies."""
    cells = np.arange(_HASH_GRID)
    frequencies = np.arange(_HASH_SIDE)[:, None]
    cosines = np.cos(np.pi * frequencies * (2 * cells + 1) / (2 * _HASH_GRID))
    edges = np.arange(_HASH_GRID + 1) * (size / _HASH_GRID)
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    average = np.clip(overlap, 0.0, None) * (_HASH_GRID / size)
    return np.asarray(cosines @ average, dtype=np.float32)
