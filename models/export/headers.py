"""Looks at the headers of encoded images that are not plain, inside a graph.

Whatever is hostile or of no known kind is refused here, before any pixel is decoded, with what is
wrong with it.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import tensorflow as tf

from models.data.image_decoding import DCT_RATIOS, ImageSpec, jpeg_reduction
from models.data.normalisation import MIN_SIDE
from models.data.png_header import MAGIC
from models.export import bmp, gif, jpeg_walk, png
from models.export.octets import number, starts_with
from models.export.orientation import UNREADABLE, UPRIGHT

PNG: Final = len(DCT_RATIOS)
"""The ways to decode below this one are reductions of a JPEG."""
GIF: Final = PNG + 1
BMP: Final = GIF + 1

_PLAIN_PNG_BYTES: Final = 6
"""That decoding takes for each pixel."""
_ALPHA_PNG_BYTES: Final = 25
_DEEP_PNG_BYTES: Final = 40
_GIF_BYTES: Final = 5
_BMP_BYTES: Final = 7

_OTHERS: Final = (
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (8, b"WEBP", "a WebP"),
    (4, b"ftyp", "a HEIC or AVIF"),
)


class Row(NamedTuple):
    """How an image is decoded; every field is a scalar tensor.

    Attributes:
        way: int32, a reduction of a JPEG or one of `PNG` to `BMP`.
        cost: int64, bytes that decoding takes.
        orientation: int64, see `models.export.orientation`.
        white: int64, see `models.export.png`.
        wrong: string, why it is refused; empty where it is not.
    """

    way: tf.Tensor
    cost: tf.Tensor
    orientation: tf.Tensor
    white: tf.Tensor
    wrong: tf.Tensor


def read_header(image: tf.Tensor, spec: ImageSpec, max_pixels: int) -> Row:
    """Looks at an encoded image, string scalar, of any kind.

    Args:
        image: string scalar.
        spec: the wanted square.
        max_pixels: an image with more is refused.
    """
    header = _Header(image, spec, max_pixels)
    return tf.case(
        [
            (tf.io.is_jpeg(image), header.jpeg),
            (starts_with(image, 0, MAGIC), header.png),
            (starts_with(image, 0, b"GIF8"), header.gif),
            (starts_with(image, 0, b"BM"), header.bmp),
        ],
        default=header.other,
    )


def _row(
    way: tf.Tensor | int,
    cost: tf.Tensor,
    wrong: tf.Tensor,
    orientation: tf.Tensor | int = UPRIGHT,
    white: tf.Tensor | int = png.ALL_BITS,
) -> Row:
    cost, orientation, white = (tf.cast(each, tf.int64) for each in (cost, orientation, white))
    return Row(tf.convert_to_tensor(way), cost, orientation, white, wrong)


@dataclass(frozen=True)
class _Header:
    """One image; each method reads one kind."""

    image: tf.Tensor
    spec: ImageSpec
    max_pixels: int

    def jpeg(self) -> Row:
        shape = tf.image.extract_jpeg_shape(self.image, output_type=tf.int64)
        height, width, channels = tf.unstack(shape)
        found = jpeg_walk.walk(self.image)
        reduction = jpeg_reduction(tf.minimum(height, width), self.spec)
        decoded = tf.bitwise.right_shift(3 * height * width, tf.cast(2 * reduction, tf.int64))
        cost = decoded + found.coefficients * height * width
        wrong = tf.where(
            found.has_adobe | tf.not_equal(channels, 4),
            self._wrong(width, height, found.orientation),
            "a CMYK JPEG should say how its colours are stored; save it as RGB",
        )
        wrong = tf.where(found.is_sound, wrong, "the header of this JPEG cannot be read")
        return _row(reduction, cost, wrong, found.orientation)

    def png(self) -> Row:
        width, height = (number(self.image, at, 4) for at in (16, 20))
        found = png.walk(self.image)
        is_deep = tf.equal(number(self.image, png.DEPTH_AT, 1), 16)
        shallow = tf.where(png.has_alpha(self.image), _ALPHA_PNG_BYTES, _PLAIN_PNG_BYTES)
        a_pixel = tf.where(is_deep, _DEEP_PNG_BYTES, shallow)
        cost = width * height * tf.cast(a_pixel, tf.int64)
        wrong = self._wrong(width, height, found.orientation)
        wrong = tf.where(found.is_sound, wrong, "this PNG cannot be read up to its end")
        return _row(PNG, cost, wrong, found.orientation, found.white)

    def gif(self) -> Row:
        width, height = (number(self.image, at, 2, little=True) for at in (6, 8))
        cost = _GIF_BYTES * width * height
        wrong = tf.where(
            gif.first_frame(self.image).is_whole,
            self._wrong(width, height),
            "the first frame of a GIF should fill the picture and not be cut short",
        )
        return _row(GIF, cost, wrong)

    def bmp(self) -> Row:
        header = bmp.read_header(self.image)
        cost = _BMP_BYTES * header.width * header.height
        wrong = tf.where(
            header.is_read,
            self._wrong(header.width, header.height),
            "a BMP should be whole, of 8, 24 or 32 bits a pixel, and not compressed",
        )
        return _row(BMP, cost, wrong)

    def other(self) -> Row:
        kind = tf.constant("of no known kind")
        for at, magic, name in _OTHERS:
            kind = tf.where(starts_with(self.image, at, magic), name, kind)
        wrong = tf.strings.join(["it is ", kind, "; expected JPEG, PNG, GIF or BMP"])
        return _row(BMP, tf.constant(0), wrong)

    def _wrong(
        self,
        width: tf.Tensor,
        height: tf.Tensor,
        orientation: tf.Tensor | int = UPRIGHT,
    ) -> tf.Tensor:
        """What is wrong with an image of any kind; empty for nothing."""
        size = tf.strings.join([tf.as_string(width), " x ", tf.as_string(height), " pixels"])
        checks: list[tuple[tf.Tensor, Any, str]] = [
            (tf.not_equal(orientation, UNREADABLE), "", "its EXIF orientation cannot be read"),
            (
                width * height <= self.max_pixels,
                size,
                f" are more than the limit of {self.max_pixels:,}",
            ),
            (
                tf.minimum(width, height) >= MIN_SIDE,
                size,
                f"; a side needs at least {MIN_SIDE}",
            ),
        ]
        wrong = tf.constant("")
        for holds, start, end in checks:
            wrong = tf.where(holds, wrong, tf.strings.join([start, end]))
        return wrong
