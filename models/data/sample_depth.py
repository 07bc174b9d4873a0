"""Images of more than 8 bits a channel: what their samples span, and how they become 8 bits.

A camera of 12 bits writes files of 16, and a float may mean anything, so that neither the file
format nor a single picture says what is white. Stretching each picture over its own range would
make a dark one as bright as a light one. So one `SampleRange` holds for a whole set: ingest finds
it with `covering_range`, the trained model keeps it, and `graft predict` and the served model apply
the same one.
"""

import json
import math
import re
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.data.image_opening import open_image
from models.data.png_header import significant_bits
from models.errors import BadDataError
from models.storage.atomic_write import write_atomically

DEEP: Final = ("16bit", "32bit")
"""Names of the conversions made here."""

_FILE: Final = "sample_range.json"
_LEAST_USE: Final = 1 / 8
"""Share of a range that the samples span at least; a wider range would show them flat."""
_ROUNDING: Final = 1 / 16
"""Steps of a range that lies far from zero, as a share of its width: a few more images of a set
should not move it."""
_BITS_TAG: Final = 258
_PHOTOMETRIC_TAG: Final = 262
_PLANES_TAG: Final = 284
_FORMAT_TAG: Final = 339
_MOST_TAGS: Final = (281, 341)
_UNSIGNED: Final = 1
_SEPARATE: Final = 2
_WHITE_IS_ZERO: Final = 0
_DEEPEST: Final = 32
_PNM_HEADER: Final = re.compile(rb"P[2356](?:\s+(?:#[^\n]*\n\s*)*(\d{1,5})\b){3}")
"""Kind, width, height and, which is the group's, the greatest sample."""
_OTHER_BYTE: Final = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


class UnreadableSamplesError(Exception):
    """Samples of a kind that cannot be read, or whose range nobody knows."""


@dataclass(frozen=True, slots=True)
class SampleRange:
    """What is black and what is white in all deep images of a set.

    Attributes:
        black: samples down from here become 0.
        white: samples up from here become 255; more than `black`.
    """

    black: float
    white: float


@dataclass(frozen=True, slots=True)
class SampleSpan:
    """What the samples of some deep images span.

    Attributes:
        low: least finite sample.
        high: greatest finite sample.
        stated: greatest sample that the files say there may be; 0 where they do not.
        integer_high: greatest sample of the images whose samples are integers, and the image's
            name, empty where it has none; None where there are none.
        float_high: the same of floats.
    """

    low: float
    high: float
    stated: float
    integer_high: tuple[float, str] | None = None
    float_high: tuple[float, str] | None = None

    def named(self, name: str) -> "SampleSpan":
        """The same, as that of one image with a name."""
        highs = (high and (high[0], name) for high in (self.integer_high, self.float_high))
        return SampleSpan(self.low, self.high, self.stated, *highs)

    def joined(self, other: "SampleSpan | None") -> "SampleSpan":
        """The span of both."""
        if other is None:
            return self
        return SampleSpan(
            min(self.low, other.low),
            max(self.high, other.high),
            max(self.stated, other.stated),
            _highest(self.integer_high, other.integer_high),
            _highest(self.float_high, other.float_high),
        )


class SampleRangeNeededError(Exception):
    """The image is deep, and its set's range is not known yet.

    Attributes:
        span: of its samples.
    """

    def __init__(self, span: SampleSpan) -> None:
        """Keeps the span."""
        super().__init__(f"the samples span {span.low} to {span.high}")
        self.span = span


@dataclass(frozen=True, slots=True)
class Samples:
    """The pixels of a deep image as they are stored.

    Attributes:
        values: any number type, [h, w] or [h, w, c].
        alpha: uint8 [h, w]; None where all is opaque.
        mode: of Pillow, for the values in 8 bits: L, RGB or CMYK.
        span: of the values.
        white_is_zero: the greatest sample is black.
    """

    values: NDArray[Any]
    alpha: NDArray[np.uint8] | None
    mode: str
    span: SampleSpan
    white_is_zero: bool


def bits_per_channel(image: Image.Image, raw: bytes) -> int:
    """Returns how many bits the file has for each sample; 8 for a palette."""
    if image.mode == "1":
        return 1
    if image.format == "PNG":
        is_palette = raw[25] == 3
        return 8 if is_palette else raw[24]
    if image.format == "TIFF":
        return int(_tag(image, _BITS_TAG, 8))
    if image.format == "PPM":
        whole = _PNM_HEADER.match(raw)
        return int(whole[1]).bit_length() if whole else _DEEPEST
    return 8


def read_samples(image: Image.Image, raw: bytes) -> Samples:
    """Reads a deep image at its full depth.

    Args:
        image: loaded from `raw`; of more than 8 bits a channel.
        raw: the file's bytes.

    Raises:
        UnreadableSamplesError: no sample is finite, or the layout of the file is not read.
    """
    if image.format == "PPM":
        raise UnreadableSamplesError(
            "of the formats PGM and PPM those of at most 8 bits a channel are read; save it as PNG"
            " or TIFF"
        )
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values, alpha, mode = _single_channel(image, raw), None, "L"
    else:
        values, alpha, mode = _channels(image, raw)
    if (key := image.info.get("transparency")) is not None:
        alpha = _but(values, key)
    return Samples(
        values=values,
        alpha=alpha,
        mode=mode,
        span=_span(values, _stated(image, raw)),
        white_is_zero=mode == "L" and _tag(image, _PHOTOMETRIC_TAG, 1) == _WHITE_IS_ZERO,
    )


def stated_range(samples: Samples) -> SampleRange:
    """The range that the file format states, for an image that belongs to no set.

    Raises:
        UnreadableSamplesError: it states none.
    """
    if samples.values.dtype.kind != "u" or samples.values.dtype.itemsize != 2:
        raise UnreadableSamplesError(
            "32-bit, signed and float samples have no stated range, and the model was not trained"
            " on such images; save it with 8 or 16 bits"
        )
    span = samples.span
    return SampleRange(0.0, span.stated if span.stated >= span.high else 65535.0)


def covering_range(span: SampleSpan) -> SampleRange:
    """Chooses the range of a set.

    The first of these that holds all samples and of which they span at least an eighth:

    1. from 0 to what the files state, such as 4095 where they say that 12 bits are significant;
    2. from 0 to the next power of two less one (255, 1023, 65535), or to 1, 1/2, 1/4, ... for
       fractions; where there are samples below 0, down to the next power of two there too;
    3. closely around the samples, as for a thermal camera's 29,000 to 31,000.

    Args:
        span: of all deep images of the set.

    Raises:
        BadDataError: integers and floats of the set mean different things by their size, such as 0
            to 65535 and 0 to 1: one range would show all images of one kind black.
    """
    _check_kinds(span)
    natural = SampleRange(0.0 - _power_above(-span.low), _level_above(span.high))
    if natural.white <= natural.black:  # every sample is 0
        return SampleRange(0.0, 1.0)
    stated = SampleRange(0.0, span.stated)
    if span.low >= 0 and span.stated >= span.high and _is_used(stated, span):
        return stated
    if span.low == span.high or _is_used(natural, span):
        return natural
    step = 2.0 ** math.ceil(math.log2(span.high - span.low)) * _ROUNDING
    return SampleRange(math.floor(span.low / step) * step, math.ceil(span.high / step) * step)


def _check_kinds(span: SampleSpan) -> None:
    if span.integer_high is None or span.float_high is None:
        return
    (integers, whole), (floats, real) = span.integer_high, span.float_high
    if 0 < min(integers, floats) < max(integers, floats) * _LEAST_USE:
        raise BadDataError(
            f"images with float samples (up to {floats:g}, in {real!r}) stand beside images with"
            f" integer samples (up to {integers:g}, in {whole!r}), and no range of black and white"
            " fits both. Expected one kind:"
            " save all with integers of 8 or 16 bits, or pass over one kind (data.ignore). If one"
            " range is right all the same, name it: data.sample_range: [0, 65535]"
        )


def to_8_bits(samples: Samples, sample_range: SampleRange) -> Image.Image:
    """Scales samples to 0..255 and rounds them; what lies outside of the range is clipped.

    Args:
        samples: of a deep image; not-a-numbers become black.
        sample_range: of the set.

    Returns:
        An image in mode L, LA, RGB, RGBA or CMYK.
    """
    if samples.values.dtype.kind == "u" and samples.values.dtype.itemsize == 2:
        # A table takes an eighth of the memory. In 32 bits, as `models.data.image_decoding` does it
        # in serving.
        every = np.arange(1 << 16, dtype=np.float32)
        levels = _levels(every, sample_range)[samples.values]
    else:
        is_float = samples.values.dtype.kind == "f"
        values = samples.values if is_float else samples.values.astype(np.float64)
        levels = _levels(values, sample_range)
    if samples.white_is_zero:
        levels = 255 - levels
    image = Image.fromarray(levels, samples.mode)
    if samples.alpha is not None:
        image.putalpha(Image.fromarray(samples.alpha))
    return image


def _levels(values: NDArray[Any], sample_range: SampleRange) -> NDArray[np.uint8]:
    number = values.dtype.type
    scale = 255.0 / (sample_range.white - sample_range.black)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values - number(sample_range.black)) * number(scale)
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)


def write_sample_range(examples_uri: str, sample_range: SampleRange | None) -> None:
    """Writes, beside the splits of an Examples artifact, by what range its images were scaled."""
    if sample_range is not None:
        text = json.dumps(astuple(sample_range))
        write_atomically(Path(examples_uri) / _FILE, text.encode())


def read_sample_range(examples_uri: str) -> SampleRange | None:
    """Reads what `write_sample_range` wrote; None where no image was deep."""
    try:
        text = (Path(examples_uri) / _FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return SampleRange(*json.loads(text))


def _is_used(wanted: SampleRange, span: SampleSpan) -> bool:
    return span.high - span.low >= (wanted.white - wanted.black) * _LEAST_USE


def _level_above(sample: float) -> float:
    if sample <= 1.0:
        return _power_above(sample)
    return 2.0 ** math.ceil(math.log2(sample + 1.0)) - 1.0


def _power_above(sample: float) -> float:
    """The least power of two that is not below; 0 for what is not positive."""
    return 2.0 ** math.ceil(math.log2(sample)) if sample > 0.0 else 0.0


def _single_channel(image: Image.Image, raw: bytes) -> NDArray[Any]:
    values = np.asarray(image)
    # Pillow reads unsigned integers of 32 bits as if they were signed.
    unsigned = image.format == "TIFF" and _tag(image, _FORMAT_TAG, _UNSIGNED) == _UNSIGNED
    if image.mode == "I" and unsigned and bits_per_channel(image, raw) == 32:
        values = values.view(np.uint32)
    return values


def _channels(
    image: Image.Image, raw: bytes
) -> tuple[NDArray[np.uint16], NDArray[np.uint8] | None, str]:
    """Values, alpha and mode of an image of which Pillow keeps the high bytes alone.

    Asked for the other order of bytes, the same decoder gives the low ones.
    """
    again = open_image(raw, ("PNG", "TIFF"))
    mode = _raw_mode(again)
    if mode == "LA;16B":  # four bytes a pixel, which Pillow can also give as they stand
        _ask_for(again, "RGBA")
        parts = np.asarray(again)
        return _joined(parts[..., 0], parts[..., 1]), parts[..., 2], "L"
    in_planes = image.format == "TIFF" and _tag(image, _PLANES_TAG, 1) == _SEPARATE
    if in_planes or mode.startswith("RGBa") or mode[-3:-1] != "16":
        raise UnreadableSamplesError(
            "16-bit colours in separate planes, or multiplied by alpha, are not read; save it with"
            " interleaved channels and plain alpha, or with 8 bits"
        )
    _ask_for(again, mode[:-1] + _OTHER_BYTE[mode[-1]])
    high = np.asarray(image)
    values = _joined(high, np.asarray(again))
    if image.mode == "RGBA":
        return values[..., :3], high[..., 3], "RGB"
    return values, None, image.mode


def _raw_mode(image: Image.Image) -> str:
    arguments = image.tile[0].args  # type: ignore[attr-defined] # of files alone
    return str(arguments if isinstance(arguments, str) else arguments[0])


def _ask_for(image: Image.Image, raw_mode: str) -> None:
    image.tile = [  # type: ignore[attr-defined]
        tile._replace(args=raw_mode if isinstance(tile.args, str) else (raw_mode, *tile.args[1:]))
        for tile in image.tile  # type: ignore[attr-defined]
    ]


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return high.astype(np.uint16) * np.uint16(256) + low


def _but(values: NDArray[Any], key: int | tuple[int, ...]) -> NDArray[np.uint8]:
    """Alpha of an image in which one colour is transparent."""
    equal = values == np.asarray(key)
    clear = equal.all(axis=-1) if equal.ndim == 3 else equal
    return np.where(clear, 0, 255).astype(np.uint8)


def _span(values: NDArray[Any], stated: float) -> SampleSpan:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        raise UnreadableSamplesError("none of its samples is a finite number")
    low, high = float(finite.min()), float(finite.max())
    kinds = (None, (high, "")) if values.dtype.kind == "f" else ((high, ""), None)
    return SampleSpan(low, high, stated, *kinds)


def _highest(
    one: tuple[float, str] | None, other: tuple[float, str] | None
) -> tuple[float, str] | None:
    known = [high for high in (one, other) if high is not None]
    return max(known, default=None)


def _stated(image: Image.Image, raw: bytes) -> float:
    """Greatest sample by the file's own words; 0 where that is the whole of 16 bits, or none."""
    if image.format == "PNG":
        bits = significant_bits(raw)
        return 2.0**bits - 1.0 if bits < 16 else 0.0
    bits = bits_per_channel(image, raw)
    if bits < 16:
        return 2.0**bits - 1.0
    stated = max(float(_tag(image, tag, 0)) for tag in _MOST_TAGS)
    return stated if math.isfinite(stated) and 0.0 < stated != 65535.0 else 0.0


def _tag(image: Image.Image, number: int, absent: int) -> Any:
    """A TIFF tag's value, the first of several."""
    value = getattr(image, "tag_v2", {}).get(number, absent)
    if isinstance(value, tuple):
        return value[0] if value else absent
    return value
