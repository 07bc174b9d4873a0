"""One image file's bytes, made into what the rest of Graft can rely on, or refused.

Ingest and `graft predict` both call `normalise`, so a model sees the same pixels in training and
in use. What comes out is a JPEG or PNG, upright, 8 bits a channel, grey or RGB, that
`tf.io.decode_image` decodes whole.

Kept byte for byte: JPEG (baseline or progressive, grey or colour) and PNG (8-bit grey or RGB)
that are already so. Truncation only shows in a full decode, so each is decoded once, in luma and
at the lowest resolution that the thumbnail needs: the entropy coding is read to its end.

Converted, and named in `NormalisedImage.converted`:

| what comes | name | what is done |
|---|---|---|
| EXIF orientation other than upright | `orientation` | rotated, mirrored |
| 9 to 16 bits a channel | `16bit` | scaled to 8 bits by the set's range (`sample_depth`) |
| 32-bit integers and floats | `32bit` | the same |
| 1, 2 or 4 bits a channel | `lowbit` | spread to 8 bits |
| palette | `palette` | RGB |
| alpha, or a transparent colour | `alpha` | composited on white |
| CMYK, YCCK | `cmyk` | RGB |
| Lab, YCbCr, HSV | `colourspace` | RGB |
| WebP, TIFF, BMP, still GIF | `webp`, `tiff`, `bmp`, `gif` | PNG; JPEG from lossy WebP |
| PBM, PGM, PPM of up to 8 bits | `ppm` | PNG |
| PNG whole in its pixels, broken in other chunks | `repaired` | written anew |

Refused, with the code of `ImageRefusedError`:

| code | what came |
|---|---|
| `empty` | no bytes |
| `not_an_image` | text, an archive, a document |
| `unsupported_format` | an image format that is not read (HEIC, AVIF, SVG, JPEG 2000, …) |
| `truncated` | the pixels end early |
| `corrupt` | the header or the pixels cannot be read |
| `too_many_pixels` | more than `max_pixels` by the header, which is read before any pixel |
| `too_small` | a side of less than 4 pixels |
| `animated` | more than one frame or page |
| `unsupported_depth` | deep samples that cannot be read, or whose range nobody knows |
"""

import io
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.data import png_header
from models.data.first_bytes import what_it_is
from models.data.image_opening import open_image
from models.data.image_statistics import thumbnail_factor
from models.data.jpeg_header import PlainJpeg, decode_luma, read_plain_header
from models.data.sample_depth import (
    SampleRange,
    SampleRangeNeededError,
    UnreadableSamplesError,
    bits_per_channel,
    read_samples,
    stated_range,
    to_8_bits,
)

MIN_SIDE = 4
"""Images with a shorter side, in pixels, are refused: spacers and tracking pixels."""

# tf.io.decode_image refuses 2^29 samples and more.
_DECODER_PIXELS = (1 << 29) // 3 - 1

_ORIENTATION_TAG = 0x0112


class ImageRefusedError(Exception):
    """The bytes cannot become an image to learn from.

    Attributes:
        code: short machine-readable cause, from the table above.
        reason: one sentence for the user.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Keeps the cause; the message is the reason."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NormalisedImage:
    """An image that the rest of Graft can rely on.

    Attributes:
        encoded: JPEG or PNG, upright, 8 bits a channel, grey or RGB.
        width: pixels.
        height: pixels.
        channels: 1 (grey) or 3 (RGB).
        format: of the bytes as they came: jpeg, png, webp, tiff, bmp, gif or ppm.
        converted: names of the conversions made, in the order of the table above.
        thumbnail: luma, uint8 [height, width], reduced by `image_statistics.thumbnail_factor`.
    """

    encoded: bytes
    width: int
    height: int
    channels: int
    format: str
    converted: tuple[str, ...]
    thumbnail: NDArray[np.uint8]


Range = SampleRange | Literal["stated", "unknown"]
"""How deep samples become 8 bits: by a set's range, by what the format states, or not yet."""


def normalise(
    raw: bytes, max_pixels: int, sample_range: Range = "stated", *, takes_first: bool = False
) -> NormalisedImage:
    """Checks one image file and converts it where needed.

    Args:
        raw: the file's bytes.
        max_pixels: images with more pixels by their header are refused before decoding.
        sample_range: what is black and white where samples have more than 8 bits. "stated": what
            the format states, for an image without a set. "unknown": it is still to be found.
        takes_first: of several frames or pages take the first, as the served model does; else
            such an image is refused.

    Returns:
        The image; `encoded is raw` where nothing had to be converted.

    Raises:
        ImageRefusedError: the bytes are no image, a broken one, or one of the kinds refused.
        SampleRangeNeededError: samples have more than 8 bits, and the range is "unknown".
    """
    if not raw:
        raise ImageRefusedError("empty", "the file is empty")
    if plain := read_plain_header(raw):
        _refuse_size(plain.width, plain.height, max_pixels)
        if (kept := _kept_plain(plain, raw)) is not None:
            return kept
    image = _open(raw)
    _refuse_size(*image.size, max_pixels)
    if not takes_first:
        _refuse_animated(image)
    try:
        return _normalise_opened(image, raw, sample_range)
    except (ImageRefusedError, SampleRangeNeededError):
        raise
    except UnreadableSamplesError as error:
        raise ImageRefusedError("unsupported_depth", str(error)) from error
    except Exception as error:  # a decoder fed with broken bytes raises almost anything
        raise _broken(_format(image), error) from error


def _kept_plain(header: PlainJpeg, raw: bytes) -> NormalisedImage | None:
    """A plain JPEG; None where Pillow has to say what is wrong with it."""
    factor = thumbnail_factor(header.width, header.height)
    luma = decode_luma(raw, max(1, header.width // factor), max(1, header.height // factor))
    if luma is None:
        return None
    if thumbnail_factor(luma.shape[1], luma.shape[0]) > 1:
        luma = _thumbnail(Image.fromarray(luma))
    return NormalisedImage(raw, header.width, header.height, header.channels, "jpeg", (), luma)


def _normalise_opened(image: Image.Image, raw: bytes, sample_range: Range) -> NormalisedImage:
    kind = _format(image)
    upright = _orientation(image) == 1
    if kind == "jpeg" and upright and image.mode in ("L", "RGB"):
        return _kept(image, raw, kind)
    if kind == "png" and _is_plain_png(image, raw):
        image.load()  # reads the chunks behind the pixels too, where EXIF may stand
        if _orientation(image) == 1 and png_header.chunks_are_sound(raw):
            return _kept(image, raw, kind)
    return _converted(image, raw, sample_range)


def _kept(image: Image.Image, raw: bytes, kind: str) -> NormalisedImage:
    width, height = image.size
    channels = 1 if image.mode == "L" else 3
    factor = thumbnail_factor(width, height)
    # For JPEG this asks for luma alone, at a half, quarter or eighth of the size.
    image.draft("L", (max(1, width // factor), max(1, height // factor)))
    return NormalisedImage(raw, width, height, channels, kind, (), _thumbnail(image))


def _converted(image: Image.Image, raw: bytes, sample_range: Range) -> NormalisedImage:
    kind = _format(image)
    image.load()
    plain, conversions = _to_grey_or_rgb(image, raw, sample_range)
    if _orientation(image) != 1:
        plain.info = image.info
        plain = ImageOps.exif_transpose(plain)
        conversions = ["orientation", *conversions]
    if kind not in ("jpeg", "png"):
        conversions.append(kind)
    elif not conversions:
        conversions.append("repaired")
    plain.info = {}  # else Pillow would copy the orientation and the colour profile
    return NormalisedImage(
        encoded=_encode(plain, lossy=_is_lossy(kind, raw)),
        width=plain.width,
        height=plain.height,
        channels=1 if plain.mode == "L" else 3,
        format=kind,
        converted=tuple(conversions),
        thumbnail=_thumbnail(plain),
    )


def _to_grey_or_rgb(
    image: Image.Image, raw: bytes, sample_range: Range
) -> tuple[Image.Image, list[str]]:
    """Returns a copy in mode L or RGB, and the names of what was done to get there."""
    conversions = []
    bits = bits_per_channel(image, raw)
    if bits > 8:
        image = _shallow(image, raw, sample_range)
        conversions.append("16bit" if bits <= 16 else "32bit")
    elif bits < 8:
        conversions.append("lowbit")
    if image.mode in ("P", "PA"):
        conversions.append("palette")
    if image.has_transparency_data:
        conversions.append("alpha")
        return _on_white(image), conversions
    if image.mode == "CMYK":
        conversions.append("cmyk")
    elif image.mode in ("LAB", "YCbCr", "HSV"):
        conversions.append("colourspace")
    return image.convert("L" if image.mode in ("1", "L") else "RGB"), conversions


def _shallow(image: Image.Image, raw: bytes, sample_range: Range) -> Image.Image:
    samples = read_samples(image, raw)
    if sample_range == "unknown":
        raise SampleRangeNeededError(samples.span)
    if sample_range == "stated":
        sample_range = stated_range(samples)
    return to_8_bits(samples, sample_range)


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("1", "L", "LA", "La")
    layered = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, layered).convert("L" if grey else "RGB")


def _is_lossy(kind: str, raw: bytes) -> bool:
    # Lossless WebP names its codec in one of the first chunks.
    return kind == "jpeg" or (kind == "webp" and b"VP8L" not in raw[:64])


def _encode(image: Image.Image, lossy: bool) -> bytes:
    """Pixels that were lossy once stay small as a fine JPEG; all others are kept exactly."""
    target = io.BytesIO()
    if lossy:
        image.save(target, "JPEG", quality=95, subsampling=0)
    else:
        image.save(target, "PNG", compress_level=1)
    return target.getvalue()


def _thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    luma = image if image.mode == "L" else image.convert("L")
    factor = thumbnail_factor(*luma.size)
    return np.asarray(luma.reduce(factor) if factor > 1 else luma)


def _open(raw: bytes) -> Image.Image:
    """Reads the header alone."""
    try:
        return open_image(raw)
    except Exception as error:  # a header parser fed with broken bytes raises almost anything
        raise ImageRefusedError(*what_it_is(raw)) from error


def _refuse_animated(image: Image.Image) -> None:
    # A JPEG of several pictures (MPO, from phones) shows its first wherever it is opened.
    if image.format not in ("JPEG", "MPO") and _has_several_frames(image):
        raise ImageRefusedError("animated", "it has more than one frame or page")


def _refuse_size(width: int, height: int, max_pixels: int) -> None:
    limit = min(max_pixels, _DECODER_PIXELS)
    if width * height > limit:
        raise ImageRefusedError(
            "too_many_pixels", f"{width} x {height} pixels are more than the limit of {limit:,}"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageRefusedError(
            "too_small", f"{width} x {height} pixels; a side needs at least {MIN_SIDE}"
        )


def _has_several_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception as error:  # looking for the second frame parses what may be broken
        raise _broken(_format(image), error) from error


def _format(image: Image.Image) -> str:
    name = (image.format or "").lower()
    return "jpeg" if name == "mpo" else name


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 where there is none or it cannot be read."""
    if "exif" not in image.info and image.format not in ("TIFF", "MPO"):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, struct.error):
        # Broken EXIF is common and says nothing about the pixels.
        return 1
    return value if value in range(1, 9) else 1


def _is_plain_png(image: Image.Image, raw: bytes) -> bool:
    return (
        image.mode in ("L", "RGB")
        and bits_per_channel(image, raw) == 8
        and not image.has_transparency_data
    )


def _broken(kind: str, error: Exception) -> ImageRefusedError:
    words = str(error) or type(error).__name__
    if "truncated" in words.lower():
        return ImageRefusedError("truncated", f"the {kind} ends before its last pixel")
    return ImageRefusedError("corrupt", f"the {kind} cannot be decoded ({words})")
