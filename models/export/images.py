"""From images as anybody sends them to the pixels that the model was trained on, inside a graph.

JPEG, PNG, GIF (the first frame) and BMP come out upright, on white where they are transparent, with
8 bits a channel: as `models.data.normalisation` makes them at ingest. Everything else is refused.
Only TensorFlow's own C++ operations are used, so that it runs in a TF Serving process.

Most images are plain: JPEGs and PNGs that ingest would keep as they are. They are decoded beside
each other after a short look at their headers. Where there is a large or a wrong one among them,
all are decoded once more, one by one, so that a request never takes more memory than one image may.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import tensorflow as tf

from models.data.image_decoding import ImageSpec, jpeg_decoders, jpeg_reduction, to_square
from models.data.normalisation import MIN_SIDE
from models.data.png_header import MAGIC
from models.data.sample_depth import SampleRange
from models.export import bmp, gif, png
from models.export.headers import read_header
from models.export.octets import mentions
from models.export.orientation import UPRIGHT, turned_upright
from models.export.seldom import NOINLINE, seldom

MOST_BYTES: Final = 300_000_000
"""What decoding the images of one request may take at a time; more only where `max_pixels` asks."""
_BESIDE: Final = 4
"""Images of a request that are decoded beside each other."""
_QUIET_PIXELS: Final = 4_000_000
"""A JPEG up to this size takes little memory, however it is coded."""
_PNG_HEAD: Final = 4096
_KEPT_PNGS: Final = tuple(
    depth << 24 | colour << 16 for depth in (1, 2, 4, 8) for colour in (0, 2, 3)
)
"""Depth, colour type, compression and filter of PNGs that the decoder makes RGB by itself."""
_JPEG, _PNG, _OTHER = range(3)

_Any = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def decode_images(
    encoded: tf.Tensor, spec: ImageSpec, sample_range: SampleRange | None, max_pixels: int
) -> tf.Tensor:
    """Decodes images and brings them to the wanted square.

    Args:
        encoded: string [n].
        spec: the wanted square.
        sample_range: black and white of PNGs of 16 bits a channel, as the model learned them; None
            for what each file says.
        max_pixels: an image with more is refused before any pixel is decoded.

    Returns:
        float32 [n, size, size, 3], RGB in 0..255.

    Raises:
        tf.errors.InvalidArgumentError: when run, if an image cannot be decoded or is refused; a
            refusal names each such image by its position.
    """
    any_image = _decoder(spec, sample_range, max_pixels)
    beside = min(MOST_BYTES // _BESIDE, 3 * max_pixels)
    squares, wrong = tf.map_fn(
        partial(_quick, any_image=any_image, spec=spec, most_bytes=beside),
        (encoded, _kinds(encoded)),
        fn_output_signature=_square_and_wrong(spec),
        parallel_iterations=_BESIDE,
    )

    @tf.function(autograph=False, experimental_attributes=NOINLINE)
    def one_by_one(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def decode(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            most_bytes = max(MOST_BYTES, 3 * max_pixels)
            pixels, wrong = any_image(image, tf.constant(most_bytes, tf.int64))
            return to_square(pixels, spec), wrong

        return tf.map_fn(
            decode, encoded, fn_output_signature=_square_and_wrong(spec), parallel_iterations=1
        )

    def carefully() -> tf.Tensor:
        squares, wrong = one_by_one(encoded)
        places = tf.where(tf.not_equal(wrong, ""))[:, 0]
        told = tf.strings.join(["image ", tf.as_string(places), ": ", tf.gather(wrong, places)])
        message = tf.strings.reduce_join(told, separator="; ")
        is_right = tf.equal(tf.size(places), 0)
        with tf.control_dependencies([tf.raw_ops.Assert(condition=is_right, data=[message])]):
            return tf.identity(squares)

    return tf.cond(tf.reduce_any(tf.not_equal(wrong, "")), carefully, lambda: squares)


def _square_and_wrong(spec: ImageSpec) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    square = tf.TensorSpec([spec.size, spec.size, 3], tf.float32)
    return square, tf.TensorSpec([], tf.string)


def _kinds(encoded: tf.Tensor) -> tf.Tensor:
    """By the first byte alone, int32 [n]: the decoders look at more."""
    of_byte = [_OTHER] * 256
    of_byte[0xFF], of_byte[MAGIC[0]] = _JPEG, _PNG
    first = tf.io.decode_raw(encoded, tf.uint8, fixed_length=1)
    return tf.gather(of_byte, tf.cast(first[:, 0], tf.int32))


def _quick(
    each: tuple[tf.Tensor, tf.Tensor], *, any_image: _Any, spec: ImageSpec, most_bytes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes one image and kind to its square; with it, what is wrong, empty for nothing."""
    image, kind = each
    nothing = tf.constant("")

    def other() -> tuple[tf.Tensor, tf.Tensor]:
        return any_image(image, tf.constant(most_bytes, tf.int64))

    def jpeg() -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.image.extract_jpeg_shape(image, output_type=tf.int64)
        height, width, channels = tf.unstack(shape)
        shorter, pixels = tf.minimum(height, width), height * width
        is_plain = (
            (pixels <= min(_QUIET_PIXELS, most_bytes // 3))
            & (shorter >= MIN_SIDE)
            & tf.not_equal(channels, 4)
            & ~mentions(image, r"Exif\x00\x00")
        )
        decoders = jpeg_decoders(image)
        way = tf.where(is_plain, jpeg_reduction(shorter, spec), len(decoders))
        plain = [lambda decode=decode: (decode(), nothing) for decode in decoders]
        return tf.switch_case(way, [*plain, other])

    def png() -> tuple[tf.Tensor, tf.Tensor]:
        words = tf.io.decode_raw(image, tf.int32, little_endian=False, fixed_length=28)
        sides = tf.cast(words[4:6], tf.int64)
        head = tf.strings.substr(image, 0, _PNG_HEAD)
        is_plain = (
            tf.reduce_any(tf.equal(words[6], _KEPT_PNGS))
            & (tf.reduce_prod(sides) <= most_bytes // 3)
            & (tf.reduce_min(sides) >= MIN_SIDE)
            & mentions(head, "IDAT")  # before which tRNS would stand
            & ~mentions(head, "tRNS")
            & ~mentions(image, "eXIf")
        )
        return tf.cond(is_plain, lambda: (tf.io.decode_png(image, channels=3), nothing), other)

    pixels, wrong = tf.switch_case(kind, [jpeg, png, other])
    return to_square(pixels, spec), wrong


def _decoder(spec: ImageSpec, sample_range: SampleRange | None, max_pixels: int) -> _Any:
    """Makes the decoder of an image of any kind.

    Returns:
        From the image, string scalar, and how many bytes decoding may take, int64 scalar, to uint8
        [h, w, 3] and what is wrong, string scalar; where there is anything, the pixels are none.
    """

    @seldom(tf.string, tf.int64)
    def decode(image: tf.Tensor, most_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        header = read_header(image, spec, max_pixels)
        is_large = tf.equal(header.wrong, "") & (header.cost > most_bytes)
        wrong = tf.where(is_large, "it takes too much memory; make it smaller", header.wrong)
        ways = [
            *jpeg_decoders(image),
            lambda: png.decode(image, header.white, sample_range),
            lambda: gif.decode(image),
            lambda: bmp.decode(image),
        ]

        def pixels() -> tf.Tensor:
            decoded = tf.switch_case(header.way, ways)
            return tf.cond(
                tf.equal(header.orientation, UPRIGHT),
                lambda: decoded,
                lambda: turned_upright(decoded, header.orientation),
            )

        none = tf.zeros([1, 1, 3], tf.uint8)
        return tf.cond(tf.equal(wrong, ""), pixels, lambda: none), wrong

    return decode
