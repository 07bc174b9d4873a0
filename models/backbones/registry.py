"""The backbones by name, built and filled with weights."""

from dataclasses import dataclass

import keras

from models.backbone_names import LITES, check_backbone, default_image_size
from models.backbones import efficientnet_lite, keras_applications, weight_files


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


def build_backbone(
    name: str, weights: str, image_size: int | None = None, *, seed: int = 0
) -> Backbone:
    """Builds a backbone and loads its weights.

    Args:
        name: EfficientNetLite0, 1 or 2, or a model of Keras Applications.
        weights: "imagenet", "none" (random), or the path of a file saved by Keras.
        image_size: side in pixels, at least 32; None for the backbone's own.
        seed: of random weights. Keras' global seed is set where they are asked for.

    Raises:
        UsageError: unknown name, impossible size, a download that failed, or a file that does not
            fit.
    """
    check_backbone(name, image_size)
    size = default_image_size(name) if image_size is None else image_size
    if weights == "none":
        keras.utils.set_random_seed(seed)
    imagenet = weights == "imagenet"
    if name in LITES:
        model = efficientnet_lite.build(name, size)
        if imagenet:
            efficientnet_lite.load_imagenet_weights(model)
    else:
        model = keras_applications.build(name, size, imagenet=imagenet)
    if weights not in ("imagenet", "none"):
        weight_files.load_file(model, weights)
    return Backbone(name, model, size, int(model.output_shape[-1]), weight_files.digest(model))
