"""PNG of every kind inside a graph, as `models.data.normalisation` makes them plain at ingest."""

from typing import Final, NamedTuple

import tensorflow as tf

from models.data.sample_depth import SampleRange
from models.export.octets import cut, length, mentions, number, starts_with
from models.export.orientation import UPRIGHT, orientation
from models.export.seldom import seldom

ALL_BITS: Final = 65535
"""Greatest sample of 16 bits."""
_MAGIC_BYTES: Final = 8
DEPTH_AT: Final = 24
_COLOUR_AT: Final = 25
_MOST_CHUNKS: Final = 20_000
_WITH_ALPHA: Final = 4
"""Least colour type that has alpha."""


class PngChunks(NamedTuple):
    """What stands beside the pixels; every field is a scalar tensor.

    Attributes:
        is_sound: bool, whether the chunks could be read.
        orientation: int64, see `models.export.orientation`.
        white: int64, the greatest sample that the file says there may be.
    """

    is_sound: tf.Tensor
    orientation: tf.Tensor
    white: tf.Tensor


class _Seen(NamedTuple):
    """Places in the file, 0 for what was not found, and whether the last chunk was reached."""

    at: tf.Tensor
    is_at_end: tf.Tensor
    exif: tf.Tensor
    bits: tf.Tensor


@seldom(tf.string)
def walk(encoded: tf.Tensor) -> PngChunks:
    """Reads the chunks of a PNG, a string scalar."""
    zero = tf.constant(0, tf.int64)
    seen = tf.while_loop(
        lambda seen: ~seen.is_at_end & (seen.at < length(encoded)),
        lambda seen: (_next(encoded, seen),),
        [_Seen(zero + _MAGIC_BYTES, tf.constant(value=False), zero, zero)],
        maximum_iterations=_MOST_CHUNKS,
        parallel_iterations=1,
    )[0]

    def by_exif() -> tf.Tensor:
        body = cut(encoded, seen.exif + 8, number(encoded, seen.exif, 4))
        has_xmp = mentions(encoded, "XML:com.adobe.xmp")
        return orientation(body, tf.cond(has_xmp, lambda: encoded, lambda: tf.constant("")))

    return PngChunks(
        is_sound=seen.is_at_end,
        orientation=tf.cond(seen.exif > 0, by_exif, lambda: tf.constant(UPRIGHT, tf.int64)),
        white=_white(encoded, seen.bits),
    )


def has_alpha(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG, a string scalar, may be transparent somewhere; bool scalar."""
    return (number(encoded, _COLOUR_AT, 1) >= _WITH_ALPHA) | mentions(encoded, "tRNS")


def decode(encoded: tf.Tensor, white: tf.Tensor, sample_range: SampleRange | None) -> tf.Tensor:
    """Decodes a PNG of any kind; what is transparent lies on white.

    Args:
        encoded: string scalar.
        white: int64 scalar, of `walk`.
        sample_range: black and white of 16 bits a channel, as the model learned them; None for
            what the file says.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    is_transparent = has_alpha(encoded)

    def deep() -> tf.Tensor:
        samples = tf.io.decode_png(encoded, channels=4, dtype=tf.uint16)
        alpha = tf.bitwise.right_shift(samples[..., 3:], tf.constant(8, tf.uint16))
        image = _levels(samples[..., :3], white, sample_range)
        return tf.cond(is_transparent, lambda: _on_white(image, alpha), lambda: image)

    def with_alpha() -> tf.Tensor:
        image = tf.io.decode_png(encoded, channels=4)
        return _on_white(image[..., :3], image[..., 3:])

    return tf.case(
        [(tf.equal(number(encoded, DEPTH_AT, 1), 16), deep), (is_transparent, with_alpha)],
        default=lambda: tf.io.decode_png(encoded, channels=3),
    )


def _next(encoded: tf.Tensor, seen: _Seen) -> _Seen:
    return _Seen(
        at=seen.at + 12 + tf.maximum(number(encoded, seen.at, 4), 0),
        is_at_end=starts_with(encoded, seen.at + 4, b"IEND"),
        exif=tf.where(starts_with(encoded, seen.at + 4, b"eXIf"), seen.at, seen.exif),
        bits=tf.where(starts_with(encoded, seen.at + 4, b"sBIT"), seen.at, seen.bits),
    )


def _white(encoded: tf.Tensor, bits_at: tf.Tensor) -> tf.Tensor:
    size = tf.where(bits_at > 0, number(encoded, bits_at, 4), 0)
    bits = tf.io.decode_raw(cut(encoded, bits_at + 8, size), tf.uint8, fixed_length=4)
    most = tf.cast(tf.reduce_max(bits), tf.int64)
    stated = tf.bitwise.left_shift(tf.constant(1, tf.int64), tf.minimum(most, 16)) - 1
    return tf.where(most > 0, stated, ALL_BITS)


def _levels(samples: tf.Tensor, white: tf.Tensor, sample_range: SampleRange | None) -> tf.Tensor:
    """Scales samples, uint16 [...], to 8 bits, as `models.data.sample_depth.to_8_bits` does it."""
    values = tf.cast(samples, tf.int32)
    if sample_range is None:
        highest = tf.cast(tf.reduce_max(values), tf.int64)
        most = tf.where(white >= highest, white, ALL_BITS)
        black, scale = 0.0, tf.cast(255.0 / tf.cast(most, tf.float64), tf.float32)
    else:
        black = sample_range.black
        scale = tf.constant(255.0 / (sample_range.white - black), tf.float32)
    every = tf.range(ALL_BITS + 1.0, dtype=tf.float32)
    table = tf.round(tf.clip_by_value((every - black) * scale, 0.0, 255.0))
    return tf.gather(tf.cast(table, tf.uint8), values)


def _on_white(image: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Composites as Pillow does, in 16 bits so that it takes little memory."""
    colour, cover = tf.cast(image, tf.uint16), tf.cast(alpha, tf.uint16)
    white = tf.constant(255, tf.uint16)
    mixed = colour * cover + white * (white - cover) + tf.constant(128, tf.uint16)
    eight = tf.constant(8, tf.uint16)
    divided = tf.bitwise.right_shift(mixed + tf.bitwise.right_shift(mixed, eight), eight)
    return tf.cast(divided, tf.uint8)
