"""Which way up an image is, by EXIF, inside a graph."""

from functools import partial
from typing import Final

import tensorflow as tf

from models.export.octets import cut, length, number, starts_with
from models.export.seldom import seldom

UPRIGHT: Final = 1
UNREADABLE: Final = -1
"""An orientation of a form that no camera writes."""
_ABSENT: Final = 0

_TAG: Final = 0x0112
_SHORT: Final = 3
_ENTRY: Final = 12
_XMP: Final = r'\C*tiff:Orientation(?:="|>)([0-9])\C*'
_ROWS: Final = (1, 1, -1, -1, 1, 1, -1, -1)
_COLUMNS: Final = (1, -1, -1, 1, 1, -1, -1, 1)
"""Directions in which the pixels are read, for the orientations 1 to 8; from 5 on the rows are
columns."""
_FIRST_TRANSPOSED: Final = 5


@seldom(tf.string, tf.string)
def orientation(exif: tf.Tensor, xmp: tf.Tensor) -> tf.Tensor:
    """Reads the orientation as Pillow does: EXIF's own, else the one in XMP beside it.

    Args:
        exif: string scalar, a TIFF header and what follows it.
        xmp: string scalar, where it may be; empty for none.

    Returns:
        int64 scalar, 1 (upright) to 8, or `UNREADABLE`.
    """
    found = tf.case(
        [
            (starts_with(exif, 0, b"II*\0"), partial(_of_tiff, exif, little=True)),
            (starts_with(exif, 0, b"MM\0*"), partial(_of_tiff, exif, little=False)),
        ],
        default=lambda: tf.constant(_ABSENT, tf.int64),
    )
    is_in_xmp = tf.equal(found, _ABSENT) & tf.strings.regex_full_match(xmp, _XMP)
    found = tf.cond(
        is_in_xmp,
        lambda: tf.strings.to_number(tf.strings.regex_replace(xmp, _XMP, r"\1"), tf.int64),
        lambda: found,
    )
    is_known = tf.equal(found, UNREADABLE) | ((found >= 1) & (found <= 8))
    return tf.where(is_known, found, UPRIGHT)


def turned_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image, uint8 [h, w, 3], by its orientation, an int64 scalar."""
    image = tf.cond(
        orientation >= _FIRST_TRANSPOSED, lambda: tf.transpose(image, [1, 0, 2]), lambda: image
    )
    rows, columns = (tf.gather(steps, orientation - 1) for steps in (_ROWS, _COLUMNS))
    return image[::rows, ::columns]


def _of_tiff(exif: tf.Tensor, *, little: bool) -> tf.Tensor:
    start = number(exif, 4, 4, little=little)
    whole = tf.minimum(number(exif, start, 2, little=little), (length(exif) - start - 2) // _ENTRY)
    fields = tf.io.decode_raw(cut(exif, start + 2, whole * _ENTRY), tf.uint16, little)
    entries = tf.reshape(tf.cast(fields, tf.int64), [-1, _ENTRY // 2])
    here = tf.where(tf.equal(entries[:, 0], _TAG))[:, 0]

    def value() -> tf.Tensor:
        entry = entries[here[0]]
        one = [1, 0] if little else [0, 1]
        is_usual = tf.reduce_all(tf.equal(entry[1:4], [_SHORT, *one]))
        return tf.where(is_usual, entry[4], UNREADABLE)

    return tf.cond(tf.size(here) > 0, value, lambda: tf.constant(_ABSENT, tf.int64))
