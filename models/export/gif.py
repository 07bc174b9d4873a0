"""The first frame of a GIF inside a graph, as Pillow shows it."""

from typing import Final, NamedTuple

import tensorflow as tf

from models.export.octets import cut, length, number, starts_with
from models.export.seldom import seldom

_SCREEN: Final = 6
"""Where the size of the whole picture stands."""
_PALETTES: Final = 13
_MOST_BLOCKS: Final = 40_000
"""Of a frame: ten megabytes of pixels, in whole blocks."""
_MOST_EXTENSIONS: Final = 100
_MOST_BLOCKS_OF_ONE: Final = 400
_IMAGE: Final = 0x2C
_EXTENSION: Final = 0x21
_CONTROL: Final = b"\x21\xf9\x04"
_IMAGE_BYTES: Final = 10
_TERMINATOR: Final = b"\x3b"


class GifFrame(NamedTuple):
    """The first frame; every field is a scalar tensor.

    Attributes:
        is_whole: bool, whether it fills the picture and is there up to its end.
        end: int64, the place behind it.
        control: int64, the place of the extension that names its transparent colour; 0 for none.
        clear: int64, the place of that colour in a palette.
    """

    is_whole: tf.Tensor
    end: tf.Tensor
    control: tf.Tensor
    clear: tf.Tensor


@seldom(tf.string)
def first_frame(encoded: tf.Tensor) -> GifFrame:
    """Finds the first frame of a GIF, a string scalar."""
    zero = tf.constant(0, tf.int64)
    frame, control = tf.while_loop(
        lambda at, _: tf.equal(number(encoded, at, 1), _EXTENSION),
        lambda at, control: (
            _behind_blocks(encoded, at + 2, _MOST_BLOCKS_OF_ONE),
            tf.where(_is_transparent(encoded, at), at, control),
        ),
        [_PALETTES + _palette_bytes(encoded, _PALETTES - 3), zero],
        maximum_iterations=_MOST_EXTENSIONS,
        parallel_iterations=1,
    )
    own = _palette_bytes(encoded, frame + _IMAGE_BYTES - 1)
    end = _behind_blocks(encoded, frame + _IMAGE_BYTES + own + 1, _MOST_BLOCKS)
    # Left, top, width and height.
    place = tf.io.decode_raw(cut(encoded, frame + 1, 8), tf.uint16, fixed_length=8)
    screen = tf.io.decode_raw(cut(encoded, _SCREEN, 4), tf.uint16, fixed_length=4)
    is_whole = (
        tf.equal(number(encoded, frame, 1), _IMAGE)
        & (end <= length(encoded))
        & tf.reduce_all(tf.equal(place, tf.concat([[0, 0], screen], 0)))
    )
    palette = tf.where(own > 0, frame + _IMAGE_BYTES, _PALETTES)
    return GifFrame(is_whole, end, control, palette + 3 * number(encoded, control + 6, 1))


@seldom(tf.string)
def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes the first frame of a GIF that has a whole one; what is transparent is white.

    The decoder gets nothing of the other frames: it would keep all of them in memory. It paints
    black what is transparent; so nothing is, and the colour is white.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    frame = first_frame(encoded)
    alone = cut(encoded, 0, frame.end) + _TERMINATOR

    def on_white() -> tf.Tensor:
        opaque = _replaced(alone, frame.control + 3, b"\0")
        return _replaced(opaque, frame.clear, b"\xff\xff\xff")

    one = tf.cond(frame.control > 0, on_white, lambda: alone)
    return tf.io.decode_image(one, channels=3, expand_animations=False)


def _replaced(text: tf.Tensor, at: tf.Tensor, by: bytes) -> tf.Tensor:
    behind = at + len(by)
    return cut(text, 0, at) + by + cut(text, behind, length(text) - behind)


def _is_transparent(encoded: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
    flags = number(encoded, at + 3, 1)
    return starts_with(encoded, at, _CONTROL) & tf.equal(flags % 2, 1)


def _palette_bytes(encoded: tf.Tensor, flags_at: tf.Tensor | int) -> tf.Tensor:
    flags = number(encoded, flags_at, 1)
    colours = tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8)
    return tf.where(flags >= 128, 3 * colours, 0)


def _behind_blocks(encoded: tf.Tensor, at: tf.Tensor, most: int) -> tf.Tensor:
    """The place behind a chain of blocks; behind the end of the file where it does not end."""

    def step(at: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        block = number(encoded, at, 1)
        return at + 1 + block, tf.equal(block, 0)

    at, is_at_end = tf.while_loop(
        lambda at, is_at_end: ~is_at_end & (at < length(encoded)),
        step,
        [at, tf.constant(value=False)],
        maximum_iterations=most,
        parallel_iterations=1,
    )
    return tf.where(is_at_end, at, length(encoded) + 1)
