"""The one way from encoded bytes to pixels, shared by embedding, training, evaluation and serving.

Only TensorFlow's own C++ operations are used, so the same functions run inside `tf.data`, inside an
exported signature and in a TF Serving process, with the same result. What a served model is sent
was not normalised: `models.export.images` sees to that.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, get_args

import tensorflow as tf

from models.errors import UsageError

Resize = Literal["stretch", "pad", "crop"]

DECODE_VERSION: Final = 1
"""Raise it whenever `decode_and_resize` gives other pixels than before: cached embeddings carry
it in their key."""

DCT_RATIOS: Final = (1, 2, 4, 8)
"""Reductions that a JPEG decoder gets for free by computing fewer DCT coefficients."""
_DCT_MARGIN: Final = 2
"""A reduced JPEG keeps at least this many times the wanted size on its shorter side, so that the
antialiased resize after it still decides what the pixels are."""


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The square that every image becomes.

    Attributes:
        size: side in pixels.
        resize: how a rectangle becomes a square: "stretch" ignores the aspect ratio, "pad" keeps
            all of the image and fills with black, "crop" keeps the central square.
    """

    size: int
    resize: Resize = "stretch"

    def __post_init__(self) -> None:
        """Refuses what cannot be built.

        Raises:
            UsageError: a size below 1 or an unknown way of resizing.
        """
        if self.size < 1:
            raise UsageError(f"image size must be at least 1 pixel, not {self.size}")
        if self.resize not in get_args(Resize):
            raise UsageError(f"resize must be one of {get_args(Resize)}, not {self.resize!r}")


def decode_and_resize(encoded: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    """Decodes an image that ingest has normalised, and brings it to the wanted square.

    Grey becomes RGB by repetition. Resizing is antialiased bilinear. A JPEG much larger than wanted
    is decoded at a half, a quarter or an eighth, which is several times faster and hardly changes
    the result.

    Args:
        encoded: string scalar, the bytes of a JPEG or PNG, upright, 8 bits a channel, grey or RGB.
        spec: the wanted square.

    Returns:
        float32 [size, size, 3], RGB in 0..255.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the bytes are not a whole image.
    """
    image = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: _decode_jpeg(encoded, spec),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return to_square(image, spec)


@functools.cache
def compiled_decoding(spec: ImageSpec) -> Callable[[Any], Any]:
    """`decode_and_resize` as a graph: `tf.data` would trace it anew for each of its pipelines.

    Args:
        spec: the wanted square.

    Returns:
        From a string scalar to a tensor float32 [size, size, 3].
    """
    signature = [tf.TensorSpec([], tf.string)]
    # Nothing in it depends on Python's control flow, whose conversion takes most of the tracing.
    return tf.function(
        lambda encoded: decode_and_resize(encoded, spec), input_signature=signature, autograph=False
    )


def jpeg_reduction(shorter: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    """By what a JPEG is reduced while it is decoded.

    Args:
        shorter: integer scalar, pixels of its shorter side.
        spec: the wanted square.

    Returns:
        int32 scalar, a position in `DCT_RATIOS`.
    """
    least = tf.constant(
        [_DCT_MARGIN * spec.size * ratio for ratio in DCT_RATIOS[1:]], shorter.dtype
    )
    return tf.reduce_sum(tf.cast(shorter >= least, tf.int32))


def jpeg_decoders(encoded: tf.Tensor) -> list[Callable[[], tf.Tensor]]:
    """For each of `DCT_RATIOS` what decodes a JPEG, CMYK too, to RGB, uint8 [height, width, 3]."""
    # The ratio is an attribute of the operation, not an input: hence one operation for each.
    return [partial(tf.image.decode_jpeg, encoded, channels=3, ratio=ratio) for ratio in DCT_RATIOS]


def to_square(image: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    """Brings an image to the wanted square.

    Args:
        image: uint8 [height, width, 3].
        spec: the wanted square.

    Returns:
        float32 [size, size, 3].
    """
    image.set_shape([None, None, 3])
    resized = _resized(image, spec)
    return tf.ensure_shape(tf.cast(resized, tf.float32), [spec.size, spec.size, 3])


def _decode_jpeg(encoded: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    shorter = tf.reduce_min(tf.image.extract_jpeg_shape(encoded)[:2])
    return tf.switch_case(jpeg_reduction(shorter, spec), jpeg_decoders(encoded))


def _resized(image: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    if spec.resize == "pad":
        return _pad(image, spec.size)
    if spec.resize == "crop":
        shape = tf.shape(image)
        side = tf.minimum(shape[0], shape[1])
        top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
        image = tf.image.crop_to_bounding_box(image, top, left, side, side)
    return tf.image.resize(image, [spec.size, spec.size], antialias=True)


def _pad(image: tf.Tensor, size: int) -> tf.Tensor:
    """The whole image in the middle of a black square.

    `tf.image.resize_with_pad` would do, but it rounds differently in a graph and outside of one.
    """
    shape = tf.shape(image)[:2]
    longer = tf.reduce_max(shape)
    scaled = tf.maximum((shape * size + longer // 2) // longer, 1)
    resized = tf.image.resize(image, scaled, antialias=True)
    top, left = (size - scaled[0]) // 2, (size - scaled[1]) // 2
    return tf.image.pad_to_bounding_box(resized, top, left, size, size)
