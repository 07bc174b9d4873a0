"""How much a backbone computes for an image, without running it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import keras

from models.backbones.cuts import choose_cut
from models.backbones.registry import build_backbone
from models.backbones.split_backbone import split_at

_SIDE: Final = 64
"""Pixels at which it is counted; what a convolution computes grows with the square of the side."""


@dataclass(frozen=True)
class Work:
    """Multiplications and additions for one image at a backbone's size, and where they are.

    Attributes:
        forward: of a pass over all of it.
        top: of the part above the cut that unfreezes a share, by that share.
        crossing: numbers that cross that cut, by the share.
    """

    forward: float
    top: Mapping[float, float]
    crossing: Mapping[float, float]


def count_work(name: str, image_size: int, shares: Iterable[float]) -> Work:
    """Counts what a backbone computes for an image.

    Args:
        name: of the backbone.
        image_size: side in pixels.
        shares: of its weighted layers to train, above 0.

    Raises:
        UsageError: unknown name.
    """
    scale = (image_size / _SIDE) ** 2
    forward, top, crossing = _counted(name, tuple(sorted(set(shares))))
    return Work(
        scale * forward,
        {share: scale * each for share, each in top.items()},
        {share: scale * each for share, each in crossing.items()},
    )


@lru_cache(maxsize=64)
def _counted(
    name: str, shares: tuple[float, ...]
) -> tuple[float, dict[float, float], dict[float, float]]:
    backbone = build_backbone(name, "none", _SIDE, features="all")
    top, crossing = {}, {}
    for share in shares:
        split = split_at(backbone, choose_cut(backbone.trunk, share))
        top[share], crossing[share] = _multiply_adds(split.top), float(split.values)
    return _multiply_adds(backbone.model), top, crossing


def _multiply_adds(model: keras.Model) -> float:
    """Of its convolutions and dense layers, nearly all there is."""
    return float(
        sum(
            math.prod(kernel.shape) * math.prod(layer.output.shape[1:-1])
            for layer in model.layers
            if (kernel := getattr(layer, "kernel", None)) is not None
        )
    )
