"""The markers of a JPEG that is not plain, read inside a graph."""

from typing import Final, NamedTuple

import tensorflow as tf

from models.export.octets import cut, number, starts_with
from models.export.orientation import orientation
from models.export.seldom import seldom

_MOST_MARKERS: Final = 1000
_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_FRAMES: Final = (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_PROGRESSIVE: Final = (0xC2, 0xC6, 0xCA, 0xCE)
_WITHOUT_LENGTH: Final = (0x01, *range(0xD0, 0xD9))
_MARK: Final = 0xFF
_SCAN: Final = 0xDA
_APP1: Final = 0xE1
_APP14: Final = 0xEE


class JpegMarkers(NamedTuple):
    """What stands before the first scan; every field is a scalar tensor.

    Attributes:
        is_sound: bool, whether it could be read.
        orientation: int64, see `models.export.orientation`.
        has_adobe: bool, whether Adobe's marker says how CMYK is stored.
        coefficients: int64, bytes of coefficients a pixel that the decoder holds at once; 0 for
            all but progressive files.
    """

    is_sound: tf.Tensor
    orientation: tf.Tensor
    has_adobe: tf.Tensor
    coefficients: tf.Tensor


class _Seen(NamedTuple):
    """Places in the file, 0 for what was not found, and whether the first scan was reached."""

    at: tf.Tensor
    is_at_end: tf.Tensor
    exif: tf.Tensor
    exifs: tf.Tensor
    xmp: tf.Tensor
    adobe: tf.Tensor
    frame: tf.Tensor


@seldom(tf.string)
def walk(encoded: tf.Tensor) -> JpegMarkers:
    """Reads the markers of a JPEG, a string scalar."""
    zero = tf.constant(0, tf.int64)
    seen = _Seen(zero + 2, tf.constant(value=False), zero, zero, zero, zero, zero)
    seen = tf.while_loop(
        lambda seen: ~seen.is_at_end & tf.equal(number(encoded, seen.at, 1), _MARK),
        lambda seen: (_next(encoded, seen),),
        [seen],
        maximum_iterations=_MOST_MARKERS,
        parallel_iterations=1,
    )[0]
    exif, xmp = _body(encoded, seen.exif, len(_EXIF)), _body(encoded, seen.xmp, len(_XMP))
    return JpegMarkers(
        is_sound=seen.is_at_end & (seen.exifs <= 1) & (seen.frame > 0),
        orientation=orientation(exif, xmp),
        has_adobe=seen.adobe > 0,
        coefficients=_coefficients(encoded, seen.frame),
    )


def _next(encoded: tf.Tensor, seen: _Seen) -> _Seen:
    marker = number(encoded, seen.at + 1, 1)
    # 0xFF before a marker fills.
    following = tf.where(tf.equal(marker, _MARK), seen.at + 1, seen.at + 2)
    has_length = ~_is_among(marker, (_MARK, *_WITHOUT_LENGTH))
    following = tf.where(has_length, following + number(encoded, seen.at + 2, 2), following)
    is_exif = tf.equal(marker, _APP1) & starts_with(encoded, seen.at + 4, _EXIF)
    is_xmp = tf.equal(marker, _APP1) & starts_with(encoded, seen.at + 4, _XMP)
    is_adobe = tf.equal(marker, _APP14) & starts_with(encoded, seen.at + 4, b"Adobe")
    return _Seen(
        at=following,
        is_at_end=tf.equal(marker, _SCAN),
        exif=tf.where(is_exif, seen.at, seen.exif),
        exifs=seen.exifs + tf.cast(is_exif, tf.int64),
        xmp=tf.where(is_xmp, seen.at, seen.xmp),
        adobe=tf.where(is_adobe, seen.at, seen.adobe),
        frame=tf.where(_is_among(marker, _FRAMES), seen.at, seen.frame),
    )


def _body(encoded: tf.Tensor, at: tf.Tensor, name: int) -> tf.Tensor:
    """What follows the name of a segment; empty for none."""
    size = number(encoded, at + 2, 2) - 2 - name
    return cut(encoded, at + 4 + name, tf.where(at > 0, size, 0))


def _coefficients(encoded: tf.Tensor, frame: tf.Tensor) -> tf.Tensor:
    """By the sampling factors: a channel that is sampled at a half has a quarter of the blocks."""
    components = tf.io.decode_raw(cut(encoded, frame + 10, 12), tf.uint8, fixed_length=12)
    factors = tf.cast(components[1::3], tf.int32)
    used = tf.range(4, dtype=tf.int64) < number(encoded, frame + 9, 1)
    across, down = (tf.where(used, each, 0) for each in (factors // 16, factors % 16))
    unit = tf.maximum(tf.reduce_max(across) * tf.reduce_max(down), 1)
    is_progressive = _is_among(number(encoded, frame + 1, 1), _PROGRESSIVE)
    blocks = tf.where(is_progressive, tf.reduce_sum(across * down), 0)
    return tf.cast((2 * blocks + unit - 1) // unit, tf.int64)


def _is_among(value: tf.Tensor, values: tuple[int, ...]) -> tf.Tensor:
    return tf.reduce_any(tf.equal(value, tf.constant(values, tf.int64)))
