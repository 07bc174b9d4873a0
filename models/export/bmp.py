"""BMP inside a graph: TensorFlow's own decoder takes palettes for grey."""

from typing import Final, NamedTuple

import tensorflow as tf

from models.export.octets import length, number
from models.export.seldom import seldom

_HEADER: Final = 14
_INFO: Final = 40
"""Least bytes of the second header; OS/2 has shorter ones."""
_NOT_COMPRESSED: Final = 0
_DEPTHS: Final = (8, 24, 32)


class BmpHeader(NamedTuple):
    """What a BMP says of itself; every field is a scalar tensor.

    Attributes:
        width: int64, pixels.
        height: int64, pixels.
        bits: int64, of a pixel.
        is_top_down: bool.
        is_read: bool, whether it is of a kind that `decode` reads, with all of its pixels.
        pixels: int64, where they begin.
        palette: int64, where the colours begin.
        row: int64, bytes.
    """

    width: tf.Tensor
    height: tf.Tensor
    bits: tf.Tensor
    is_top_down: tf.Tensor
    is_read: tf.Tensor
    pixels: tf.Tensor
    palette: tf.Tensor
    row: tf.Tensor


@seldom(tf.string)
def read_header(encoded: tf.Tensor) -> BmpHeader:
    """Reads the header of a BMP, a string scalar."""

    def of(at: int, size: int) -> tf.Tensor:
        return number(encoded, at, size, little=True)

    width, height, bits = of(18, 4), of(22, 4), of(28, 2)
    pixels, palette = of(10, 4), _HEADER + of(_HEADER, 4)
    row = (width * bits + 31) // 32 * 4
    is_read = (
        (palette >= _HEADER + _INFO)
        & tf.equal(of(30, 4), _NOT_COMPRESSED)
        & tf.reduce_any(tf.equal(bits, tf.constant(_DEPTHS, tf.int64)))
        & (width > 0)
        & (pixels >= palette)
        & (pixels + row * tf.abs(height) <= length(encoded))
    )
    return BmpHeader(width, tf.abs(height), bits, height < 0, is_read, pixels, palette, row)


@seldom(tf.string)
def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a BMP of 8 bits with a palette, or of 24 or 32 bits, of which 8 say nothing.

    Args:
        encoded: string scalar that `read_header` calls read.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    header = read_header(encoded)
    data = tf.io.decode_raw(encoded, tf.uint8)
    end = header.pixels + header.row * header.height
    rows = tf.reshape(data[header.pixels : end], [header.height, header.row])
    rows = tf.cond(header.is_top_down, lambda: rows, lambda: rows[::-1])

    def by_palette() -> tf.Tensor:
        colours = (header.pixels - header.palette) // 4
        palette = tf.reshape(data[header.palette : header.palette + 4 * colours], [-1, 4])
        return tf.gather(palette[:, 2::-1], tf.cast(rows[:, : header.width], tf.int32))

    def direct() -> tf.Tensor:
        channels = header.bits // 8
        used = rows[:, : header.width * channels]
        return tf.reshape(used, [header.height, header.width, channels])[..., 2::-1]

    return tf.cond(tf.equal(header.bits, 8), by_palette, direct)
