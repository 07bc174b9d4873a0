"""The backbones by name, built and filled with weights."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import keras

from models.backbones import efficientnet_lite, keras_applications, weight_files
from models.errors import UsageError

LITE0: Final = "EfficientNetLite0"
_MIN_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Backbone:
    """A feature extractor.

    Attributes:
        name: as in `available_backbones`.
        model: flat Keras model from float32 [n, s, s, 3], raw RGB in 0..255, to pooled features
            [n, d]; the backbone's own preprocessing is its first layer.
        image_size: s, in pixels.
        dimension: d.
        weights_digest: SHA-256 over the values of the weights, hex.
    """

    name: str
    model: keras.Model
    image_size: int
    dimension: int
    weights_digest: str


def available_backbones() -> tuple[str, ...]:
    """Names that `build_backbone` takes, sorted."""
    return tuple(sorted((LITE0, *keras_applications.APPLICATIONS)))


def default_image_size(name: str) -> int:
    """Side in pixels of the images that a backbone was trained on.

    Raises:
        UsageError: there is no such backbone.
    """
    _check_name(name)
    if name == LITE0:
        return efficientnet_lite.DEFAULT_SIZE
    return keras_applications.APPLICATIONS[name].size


def build_backbone(
    name: str, weights: str, image_size: int | None = None, *, seed: int = 0
) -> Backbone:
    """Builds a backbone and loads its weights.

    Args:
        name: EfficientNetLite0 or a model of Keras Applications.
        weights: "imagenet", "none" (random), or the path of a file saved by Keras.
        image_size: side in pixels, at least 32; None for the backbone's own.
        seed: of random weights. Keras' global seed is set where they are asked for.

    Raises:
        UsageError: unknown name, impossible size, a download that failed, or a file that does not
            fit.
    """
    own_size = default_image_size(name)
    size = own_size if image_size is None else image_size
    if size < _MIN_SIZE:
        raise UsageError(f"image_size must be at least {_MIN_SIZE} pixels, not {size}")
    if weights == "none":
        keras.utils.set_random_seed(seed)
    imagenet = weights == "imagenet"
    if name == LITE0:
        model = efficientnet_lite.build(size)
        if imagenet:
            efficientnet_lite.load_imagenet_weights(model)
    else:
        model = keras_applications.build(name, size, imagenet=imagenet)
    if weights not in ("imagenet", "none"):
        weight_files.load_file(model, weights)
    return Backbone(name, model, size, int(model.output_shape[-1]), weight_files.digest(model))


def _check_name(name: str) -> None:
    if name in available_backbones():
        return
    close = get_close_matches(name, available_backbones(), n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(
        f"there is no backbone {name!r}{hint} Known: {', '.join(available_backbones())}"
    )
