"""The one way from encoded bytes to pixels, shared by embedding, training, evaluation and serving.

Only TensorFlow's own C++ operations are used, so the same function runs inside `tf.data`, inside an
exported signature and in a TF Serving process, with the same result.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import tensorflow as tf

from models.data import png_header
from models.data.sample_depth import SampleRange
from models.errors import UsageError

Resize = Literal["stretch", "pad", "crop"]

DECODE_VERSION: Final = 1
"""Raise it whenever `decode_and_resize` gives other pixels than before: cached embeddings carry
it in their key."""

_DCT_RATIOS: Final = (8, 4, 2)
"""Reductions that a JPEG decoder gets for free by computing fewer DCT coefficients."""
_PNG_HEAD: Final = 25
"""A PNG up to its header's number of bits."""
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


def decode_and_resize(
    encoded: tf.Tensor, spec: ImageSpec, sample_range: SampleRange | None = None
) -> tf.Tensor:
    """Decodes one JPEG, PNG, BMP or GIF (first frame) and brings it to the wanted square.

    Grey becomes RGB by repetition and alpha is dropped. Resizing is antialiased bilinear. A JPEG
    much larger than wanted is decoded at a half, a quarter or an eighth, which is several times
    faster and hardly changes the result.

    Args:
        encoded: string scalar, the file's bytes.
        spec: the wanted square.
        sample_range: black and white of a PNG of 16 bits a channel; None keeps the high byte.

    Returns:
        float32 [size, size, 3], RGB in 0..255.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the bytes are not a whole image.
    """
    image = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: _decode_jpeg(encoded, spec),
        lambda: _decode_other(encoded, sample_range),
    )
    image.set_shape([None, None, 3])
    resized = _to_square(image, spec)
    return tf.ensure_shape(tf.cast(resized, tf.float32), [spec.size, spec.size, 3])


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


def decode_batch(
    encoded: tf.Tensor, spec: ImageSpec, sample_range: SampleRange | None = None
) -> tf.Tensor:
    """`decode_and_resize` for a batch inside one graph, as serving signatures need it.

    Args:
        encoded: string [n].
        spec: the wanted square.
        sample_range: black and white of PNGs of 16 bits a channel; None keeps the high byte.

    Returns:
        float32 [n, size, size, 3], RGB in 0..255.
    """
    return tf.map_fn(
        lambda one: decode_and_resize(one, spec, sample_range),
        encoded,
        fn_output_signature=tf.TensorSpec([spec.size, spec.size, 3], tf.float32),
    )


def _decode_other(encoded: tf.Tensor, sample_range: SampleRange | None) -> tf.Tensor:
    def shallow() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    if sample_range is None:
        return shallow()
    scale = tf.constant(255.0 / (sample_range.white - sample_range.black), tf.float32)

    def deep() -> tf.Tensor:
        samples = tf.cast(tf.io.decode_png(encoded, channels=3, dtype=tf.uint16), tf.float32)
        # As `models.data.sample_depth.to_8_bits` does it.
        levels = tf.round(tf.clip_by_value((samples - sample_range.black) * scale, 0.0, 255.0))
        return tf.cast(levels, tf.uint8)

    # Of a shorter file nothing is left but what was added.
    head = tf.strings.substr(encoded + bytes(_PNG_HEAD), 0, _PNG_HEAD)
    is_png = tf.equal(tf.strings.substr(head, 0, len(png_header.MAGIC)), png_header.MAGIC)
    is_deep = tf.equal(tf.strings.substr(head, _PNG_HEAD - 1, 1), b"\x10")
    return tf.cond(is_png & is_deep, deep, shallow)


def _decode_jpeg(encoded: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
    shorter = tf.reduce_min(tf.image.extract_jpeg_shape(encoded)[:2])

    def at(ratio: int) -> tf.Tensor:
        return tf.image.decode_jpeg(encoded, channels=3, ratio=ratio)

    # The ratio is an attribute of the operation, not an input: hence one branch for each.
    wanted = _DCT_MARGIN * spec.size
    branches = [(shorter >= ratio * wanted, lambda ratio=ratio: at(ratio)) for ratio in _DCT_RATIOS]
    return tf.case(branches, default=lambda: at(1))


def _to_square(image: tf.Tensor, spec: ImageSpec) -> tf.Tensor:
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
