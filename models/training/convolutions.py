"""Convolutions as a CPU trains them fastest, while the layers that they are in are trained.

The sums are TensorFlow's, rounded otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import keras
import tensorflow as tf


@contextmanager
def faster_convolutions(model: keras.Model) -> Iterator[None]:
    """What is traced in the block computes some of the convolutions of a model otherwise.

    - Those of 1×1 are matrix products: TensorFlow's gradient of a convolution goes image by image,
      which on the small maps at the top of a backbone takes ten times as long as the convolution.
    - Depthwise ones have the gradient of their kernel computed without oneDNN, which takes up to
      ten times as long for it as TensorFlow's own code: 30 ms of CPU instead of 3.4 for 32 maps of
      2×2×1152 and a kernel of 5×5, 55 instead of 23 for 14×14×672. At no size it took less.

    With both, a step of EfficientNet-Lite0's upper half takes 0.45 of its CPU time without the
    second, on images of 64 px, 0.7 on 96, and 0.9 on 160 and 224; one of ConvNeXtTiny's 0.2 on 96.
    A GPU is left alone.

    Args:
        model: its layers are changed for the length of the block.
    """
    changed: list[tuple[keras.Layer, str]] = []
    if not tf.config.list_physical_devices("GPU"):
        for layer in model.layers:
            if _is_pointwise(layer):
                layer.convolution_op = MethodType(_product, layer)
                changed.append((layer, "convolution_op"))
            elif _has_a_kernel_a_channel(layer):
                layer.convolution_op = MethodType(_grouped, layer)
                changed.append((layer, "convolution_op"))
            elif _is_depthwise(layer):
                layer.call = MethodType(_depthwise, layer)
                changed.append((layer, "call"))
    try:
        yield
    finally:
        for layer, name in changed:
            delattr(layer, name)


def _is_plain(layer: keras.Layer) -> bool:
    """Whether TensorFlow has kernels for it that are depthwise."""
    return (
        layer.data_format == "channels_last"
        and layer.dilation_rate == (1, 1)
        and layer.strides[0] == layer.strides[1]
    )


def _is_pointwise(layer: keras.Layer) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.kernel_size == layer.strides == (1, 1)
        and layer.groups == 1
        and _is_plain(layer)
    )


def _product(_: keras.layers.Conv2D, inputs: Any, kernel: Any) -> Any:
    """Stands for `Conv2D.convolution_op`: [n, h, w, c] times [1, 1, c, d] to [n, h, w, d]."""
    channels, filters = kernel.shape[-2:]
    flat = keras.ops.reshape(inputs, (-1, channels))
    product = keras.ops.matmul(flat, keras.ops.reshape(kernel, (channels, filters)))
    return keras.ops.reshape(product, (-1, *inputs.shape[1:3], filters))


def _has_a_kernel_a_channel(layer: keras.Layer) -> bool:
    """Whether it is depthwise although it is not called so, as in ConvNeXt."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups == layer.filters == layer.input.shape[-1]
        and _is_plain(layer)
    )


def _grouped(layer: keras.layers.Conv2D, inputs: Any, kernel: Any) -> Any:
    """Stands for `Conv2D.convolution_op` with a kernel [kh, kw, 1, c]."""
    return _convolved(layer, inputs, keras.ops.swapaxes(kernel, 2, 3))


def _is_depthwise(layer: keras.Layer) -> bool:
    return type(layer) is keras.layers.DepthwiseConv2D and _is_plain(layer)


def _depthwise(layer: keras.layers.DepthwiseConv2D, inputs: Any) -> Any:
    """Stands for `DepthwiseConv2D.call`."""
    outputs = _convolved(layer, inputs, layer.kernel)
    if layer.use_bias:
        outputs = keras.ops.add(outputs, layer.bias)
    return layer.activation(outputs)


def _convolved(layer: keras.Layer, inputs: Any, kernel: Any) -> Any:
    """A depthwise convolution of [n, h, w, c] with [kh, kw, c, m].

    oneDNN computes it, and the gradient of the inputs.
    """
    strides, padding = (1, *layer.strides, 1), layer.padding.upper()

    @tf.custom_gradient
    def convolved(inputs: tf.Tensor, kernel: tf.Tensor) -> Any:
        outputs = tf.nn.depthwise_conv2d(inputs, kernel, strides, padding)

        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            of_inputs = tf.nn.depthwise_conv2d_backprop_input(
                tf.shape(inputs), kernel, upstream, strides, padding
            )
            # With the padding in numbers TensorFlow does not hand the work to oneDNN.
            in_numbers = [(0, 0), *map(_added, *_sides(layer, inputs, outputs)), (0, 0)]
            of_kernel = tf.nn.depthwise_conv2d_backprop_filter(
                inputs, kernel.shape, upstream, strides, in_numbers
            )
            return of_inputs, of_kernel

        return outputs, gradients

    return convolved(*map(keras.ops.convert_to_tensor, (inputs, kernel)))


def _sides(layer: keras.Layer, inputs: tf.Tensor, outputs: tf.Tensor) -> tuple[Any, ...]:
    return inputs.shape[1:3], outputs.shape[1:3], layer.kernel_size, layer.strides


def _added(size: int, places: int, taps: int, step: int) -> tuple[int, int]:
    """Zeros that "same" or "valid" puts before and behind a side of a map."""
    missing = max((places - 1) * step + taps - size, 0)
    return missing // 2, missing - missing // 2
