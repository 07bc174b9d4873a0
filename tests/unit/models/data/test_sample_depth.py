"""Images of more than 8 bits a channel, through `normalise`."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from models.data.normalisation import ImageRefusedError, normalise
from models.data.sample_depth import (
    SampleRange,
    SampleRangeNeededError,
    SampleSpan,
    covering_range,
    read_sample_range,
    write_sample_range,
)
from models.errors import BadDataError

MAX_PIXELS = 1_000_000
TWELVE_BITS = SampleRange(0.0, 4095.0)
WHITE_IS_ZERO = 0


def random(*shape: int, below: int = 4096) -> np.ndarray:
    return np.random.default_rng(0).integers(0, below, shape).astype(np.uint16)


def encode(samples: np.ndarray, kind: str = "TIFF", **options: object) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, kind, **options)
    return target.getvalue()


def png(samples: np.ndarray, significant: int = 0, key: tuple[int, ...] = ()) -> bytes:
    """Of 16 bits with 1 to 4 channels; Pillow writes grey alone."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    height, width, channels = samples.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    body = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    if significant:
        body += chunk(b"sBIT", bytes([significant] * channels))
    if key:
        body += chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    body += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def colour_tiff(samples: np.ndarray, order: str, photometric: int = 2, planes: int = 1) -> bytes:
    """Of 16 bits and 3 or 4 channels, uncompressed; Pillow writes none."""
    height, width, channels = samples.shape
    shorts = {258: [16] * channels, 259: [1], 262: [photometric], 277: [channels], 284: [planes]}
    longs = {256: width, 257: height, 273: 0, 278: height, 279: samples.nbytes}
    entries = len(shorts) + len(longs)
    behind = 8 + 2 + 12 * entries + 4
    longs[273] = behind + 2 * channels
    lines = {}
    for tag, values in shorts.items():
        place = struct.pack(order + "HH", values[0], 0)
        if len(values) > 1:
            place = struct.pack(order + "I", behind)
        lines[tag] = struct.pack(order + "HHI", tag, 3, len(values)) + place
    for tag, value in longs.items():
        lines[tag] = struct.pack(order + "HHII", tag, 4, 1, value)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, entries)
    directory = b"".join(lines[tag] for tag in sorted(lines)) + struct.pack(order + "I", 0)
    bits = struct.pack(order + f"{channels}H", *shorts[258])
    return start + directory + bits + samples.astype(order + "u2").tobytes()


def pixels(raw: bytes, sample_range: Any = "stated") -> np.ndarray:
    image = normalise(raw, MAX_PIXELS, sample_range)
    return tf.io.decode_image(image.encoded).numpy()


def eight_bits(samples: np.ndarray, white: float) -> np.ndarray:
    return np.rint(samples.astype(np.float32) * np.float32(255.0 / white)).clip(0, 255)


def span(raw: bytes) -> SampleSpan:
    with pytest.raises(SampleRangeNeededError) as raised:
        normalise(raw, MAX_PIXELS, "unknown")
    return raised.value.span


def integers(low: float, high: float, stated: float = 0.0) -> SampleSpan:
    return SampleSpan(low, high, stated, integer_high=(high, ""))


def floats(low: float, high: float) -> SampleSpan:
    return SampleSpan(low, high, 0.0, float_high=(high, ""))


@pytest.mark.parametrize(
    ("low", "high", "stated", "expected"),
    [
        (20, 239, 0, (0, 255)),  # 8 bits in 16
        (3, 900, 0, (0, 1023)),
        (0, 4000, 0, (0, 4095)),
        (0, 65535, 0, (0, 65535)),
        (0, 20, 0, (0, 31)),
        (0, 1700, 4095, (0, 4095)),  # the files say 12 bits, and the set is a dark one
        (0, 65520, 4095, (0, 65535)),  # 12 bits that stand at the top of 16
        (0, 255, 4095, (0, 255)),  # what the files say is not what they hold
        (29000, 31000, 0, (28928, 31104)),  # a thermal camera's centikelvins
        (-1024, 3071, 0, (-1024, 4095)),  # Hounsfield units
        (0.0, 1.0, 0, (0, 1)),
        (0.0, 0.003, 0, (0, 1 / 256)),
        (0.0, 255.0, 0, (0, 255)),
        (-0.9, 0.8, 0, (-1, 1)),
        (0, 0, 0, (0, 1)),
        (5, 5, 0, (0, 7)),
    ],
)
def test_the_range_of_a_set(low, high, stated, expected):
    found = covering_range(SampleSpan(low, high, stated))
    assert (found.black, found.white) == expected


@pytest.mark.parametrize(("low", "high"), [(-3e38, 3e38), (1e-310, 1e-309), (-7, -7), (-9, -1)])
def test_any_span_has_a_range(low, high):
    found = covering_range(SampleSpan(low, high, 0.0))
    assert found.black <= low
    assert high <= found.white
    assert found.black < found.white


def test_spans_join_to_that_of_the_set():
    first, second = SampleSpan(3, 9, 255), SampleSpan(1, 5, 0)
    assert first.joined(None) == first
    assert first.joined(second) == second.joined(first) == SampleSpan(1, 9, 255)


@pytest.mark.parametrize("high", [1.0, 255.0, 65535.0 * 9])
def test_floats_and_integers_that_mean_different_things_are_refused(high):
    mixed = integers(0, 65535).joined(floats(0, high)).joined(None)
    with pytest.raises(BadDataError, match=r"no range of black and white fits both.*sample_range"):
        covering_range(mixed)


def test_floats_of_the_integers_size_share_their_range():
    mixed = floats(0, 3900).joined(integers(0, 4000))
    assert covering_range(mixed) == SampleRange(0.0, 4095.0)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_is_scaled_by_the_range(compression, order):
    samples = random(20, 30)
    tiff = encode(samples.astype(order + "u2"), compression=compression)
    for raw in (png(samples[..., None]), tiff):
        assert span(raw) == integers(float(samples.min()), float(samples.max()))
        assert np.array_equal(pixels(raw, TWELVE_BITS)[..., 0], eight_bits(samples, 4095))
        assert np.array_equal(pixels(raw)[..., 0], eight_bits(samples, 65535))


@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_keeps_the_low_byte_until_it_is_scaled(order):
    samples = random(20, 30, 3)
    for raw in (png(samples), colour_tiff(samples, order)):
        assert span(raw) == integers(float(samples.min()), float(samples.max()))
        assert np.array_equal(pixels(raw, TWELVE_BITS), eight_bits(samples, 4095))


def test_what_lies_outside_of_the_range_is_clipped():
    samples = np.array([[0, 100, 200, 300]] * 4, np.uint16)
    assert pixels(encode(samples), SampleRange(100, 200))[0, :, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_16_bits_is_composited_on_white(channels):
    samples = random(8, 8, channels)
    samples[..., -1] = 65535
    samples[0, :, -1] = 0
    image = pixels(png(samples), TWELVE_BITS)
    assert (image[0] == 255).all()
    assert np.array_equal(image[1:], eight_bits(samples[1:, :, : channels - 1], 4095))


def test_a_transparent_colour_of_16_bits_is_composited_on_white():
    samples = random(8, 8, 3)
    samples[0, 0] = (1, 2, 3)
    image = pixels(png(samples, key=(1, 2, 3)), TWELVE_BITS)
    assert (image[0, 0] == 255).all()
    assert np.array_equal(image[1:], eight_bits(samples[1:], 4095))


def test_cmyk_of_16_bits_becomes_colour():
    image = normalise(colour_tiff(random(8, 8, 4), "<", photometric=5), MAX_PIXELS, TWELVE_BITS)
    assert image.converted == ("16bit", "cmyk", "tiff")


def test_white_is_zero():
    samples = random(20, 30)
    raw = encode(samples, tiffinfo={262: WHITE_IS_ZERO})
    assert np.array_equal(pixels(raw, TWELVE_BITS)[..., 0], 255 - eight_bits(samples, 4095))


@pytest.mark.parametrize(
    ("raw", "stated"),
    [
        (png(random(8, 8, 1, below=1024), significant=10), 1023),
        (png(random(8, 8, 3), significant=12), 4095),
        (png(random(8, 8, 1), significant=16), 0),
        (encode(random(8, 8), tiffinfo={281: 4095}), 4095),
        (encode(random(8, 8), tiffinfo={281: 65535}), 0),
    ],
)
def test_what_the_file_states(raw, stated):
    assert span(raw).stated == stated
    if stated:
        high = span(raw).high
        assert pixels(raw).max() == round(high * 255 / stated)


def test_a_tiff_of_12_bits_a_sample():
    tags = ImageFileDirectory_v2(prefix=b"II")
    tags.update({256: 4, 257: 4, 258: 12, 259: 1, 262: 1, 273: 0, 277: 1, 278: 4, 279: 24})
    target = io.BytesIO()
    tags.save(target)
    raw = target.getvalue() + b"\xff\xf0\x00" * 8
    assert span(raw) == integers(0.0, 4095.0, 4095.0)
    assert pixels(raw)[0, :, 0].tolist() == [255, 0, 255, 0]


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_32_bits_are_scaled_by_the_sets_range_and_refused_without_one(kind):
    samples = random(20, 30).astype(kind) - 1000
    raw = encode(samples)
    wanted = SampleRange(-1000, 3095)
    assert normalise(raw, MAX_PIXELS, wanted).converted == ("32bit", "tiff")
    assert np.array_equal(pixels(raw, wanted)[..., 0], eight_bits(samples + 1000, 4095))
    with pytest.raises(ImageRefusedError, match="no stated range") as raised:
        normalise(raw, MAX_PIXELS)
    assert raised.value.code == "unsupported_depth"


def test_not_a_number_is_black_and_infinity_is_white():
    samples = np.full((4, 4), 0.5, np.float32)
    samples[0] = [np.nan, np.inf, -np.inf, 1.0]
    raw = encode(samples)
    assert span(raw) == floats(0.5, 1.0)
    assert pixels(raw, SampleRange(0, 1))[0, :, 0].tolist() == [0, 255, 0, 255]
    with pytest.raises(ImageRefusedError, match="finite") as raised:
        normalise(encode(np.full((4, 4), np.nan, np.float32)), MAX_PIXELS, "unknown")
    assert raised.value.code == "unsupported_depth"


def test_colours_in_separate_planes_are_refused_rather_than_read_wrongly():
    raw = colour_tiff(random(8, 8, 3), "<", planes=2)
    with pytest.raises(ImageRefusedError, match="separate planes") as raised:
        normalise(raw, MAX_PIXELS, TWELVE_BITS)
    assert raised.value.code == "unsupported_depth"


def test_a_truncated_deep_image_is_refused():
    raw = png(random(60, 60, 3))
    with pytest.raises(ImageRefusedError) as raised:
        normalise(raw[: len(raw) // 2], MAX_PIXELS, "unknown")
    assert raised.value.code == "truncated"


def test_the_range_lies_beside_the_examples(tmp_path: Path):
    write_sample_range(str(tmp_path), None)
    assert read_sample_range(str(tmp_path)) is None
    write_sample_range(str(tmp_path), TWELVE_BITS)
    assert read_sample_range(str(tmp_path)) == TWELVE_BITS
