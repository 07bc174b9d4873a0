"""How much a backbone computes for an image, without running it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import keras

from models.backbone_names import default_image_size
from models.backbones.cuts import choose_cut
from models.backbones.registry import build_backbone
from models.backbones.split_backbone import split_at


@dataclass(frozen=True)
class Work:
    """Multiplications and additions for one image at a backbone's size, and where they are.

    Attributes:
        forward: of a pass over all of it.
        top: of the part above the cut that unfreezes a share, by that share.
    """

    forward: float
    top: Mapping[float, float]


def count_work(name: str, image_size: int, shares: Iterable[float]) -> Work:
    """Counts what a backbone computes for an image.

    It is counted at the backbone's own size; what a convolution computes grows with the square of
    the side.

    Args:
        name: of the backbone.
        image_size: side in pixels.
        shares: of its weighted layers to train, above 0.

    Raises:
        UsageError: unknown name.
    """
    scale = (image_size / default_image_size(name)) ** 2
    forward, top = _counted(name, tuple(sorted(set(shares))))
    return Work(scale * forward, {share: scale * each for share, each in top.items()})


@lru_cache(maxsize=64)
def _counted(name: str, shares: tuple[float, ...]) -> tuple[float, dict[float, float]]:
    backbone = build_backbone(name, "none", default_image_size(name), features="all")
    tops = {share: split_at(backbone, choose_cut(backbone.trunk, share)).top for share in shares}
    return _multiply_adds(backbone.model), {
        share: _multiply_adds(top) for share, top in tops.items()
    }


def _multiply_adds(model: keras.Model) -> float:
    """Of all kernels, which is nearly all there is; each is used once for a place of the output."""
    return float(
        sum(
            math.prod(weight.shape) * math.prod(layer.output.shape[1:-1])
            for layer in model.layers
            for weight in layer.weights
            if len(weight.shape) > 1
        )
    )
