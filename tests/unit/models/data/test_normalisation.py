import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from perceptual_hash import hamming_distance
from picture_kinds import encode
from PIL import Image

from models.data.image_statistics import describe
from models.data.normalisation import ImageRefusedError, NormalisedImage, normalise

MAX_PIXELS = 1_000_000


def photo(width: int = 60, height: int = 40) -> Image.Image:
    """A smooth picture whose corners differ: red right, green below."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 128 + 0 * x], axis=-1).astype(np.uint8))


def pixels(image: NormalisedImage) -> np.ndarray:
    decoded = tf.io.decode_image(image.encoded).numpy()
    assert decoded.shape == (image.height, image.width, image.channels)
    assert decoded.dtype == np.uint8
    return decoded.astype(int)


def refusal(raw: bytes, max_pixels: int = MAX_PIXELS) -> ImageRefusedError:
    with pytest.raises(ImageRefusedError) as caught:
        normalise(raw, max_pixels)
    assert str(caught.value) == caught.value.reason
    return caught.value


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("L", "JPEG", {}),
        ("RGB", "PNG", {}),
        ("L", "PNG", {}),
    ],
)
def test_keeps_what_needs_no_change_byte_for_byte(mode, kind, options):
    raw = encode(photo(300, 200).convert(mode), kind, **options)
    image = normalise(raw, MAX_PIXELS)
    assert image.encoded is raw
    assert image.converted == ()
    assert (image.width, image.height, image.channels) == (300, 200, 1 if mode == "L" else 3)
    assert image.format == kind.lower()
    assert image.thumbnail.shape == (50, 75)
    assert image.thumbnail.dtype == np.uint8


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM"])
def test_other_formats_keep_their_pixels(kind):
    source = photo().quantize(64).convert("RGB")
    options = {"lossless": True} if kind == "WEBP" else {}
    image = normalise(encode(source, kind, **options), MAX_PIXELS)
    assert np.array_equal(pixels(image), np.asarray(source))
    assert image.format == kind.lower()
    assert (kind.lower() in image.converted) == (kind != "PNG")


@pytest.mark.parametrize(
    ("raw", "shown", "converted"),
    [
        (b"P5\n4 4\n255\n" + bytes(range(0, 160, 10)), range(0, 160, 10), ("ppm",)),
        (b"P5 4 # wide\n# and\n 4 255 " + bytes(range(16)), range(16), ("ppm",)),
        (b"P2\n4 4\n255\n" + b" ".join(b"%d" % n for n in range(16)), range(16), ("ppm",)),
        (b"P5\n4 4\n15\n" + bytes(range(16)), range(0, 256, 17), ("lowbit", "ppm")),
        (b"P4\n4 4\n\xf0\x00\xf0\x00", ([0] * 4 + [255] * 4) * 2, ("lowbit", "ppm")),
    ],
)
def test_the_portable_formats_are_read(raw, shown, converted):
    image = normalise(raw, MAX_PIXELS)
    assert pixels(image)[..., 0].ravel().tolist() == list(shown)
    assert (image.channels, image.converted) == (1, converted)


@pytest.mark.parametrize("raw", [b"P5\n4 4\n4095\n" + bytes(32), b"P6 4 4 65535\n" + bytes(96)])
def test_a_portable_format_of_more_than_8_bits_is_refused_with_what_to_do(raw):
    error = refusal(raw)
    assert error.code == "unsupported_depth"
    assert "save it as PNG or TIFF" in error.reason


def test_lossy_webp_stays_small_as_a_fine_jpeg():
    raw = encode(photo(), "WEBP", quality=80)
    image = normalise(raw, MAX_PIXELS)
    assert image.encoded.startswith(b"\xff\xd8")
    shown = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)
    assert np.abs(pixels(image) - shown).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = normalise(encode(photo(), "JPEG", quality=95, exif=exif), MAX_PIXELS)
    assert image.converted == (() if orientation == 1 else ("orientation",))
    transposed = orientation >= 5
    assert (image.width, image.height) == ((40, 60) if transposed else (60, 40))
    upright = pixels(image)
    stored = np.asarray(photo()).astype(int)
    turned = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: stored[::-1].transpose(1, 0, 2),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: stored[:, ::-1].transpose(1, 0, 2),
    }[orientation]
    assert np.abs(upright - turned).mean() < 4


def test_orientation_of_a_png_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = normalise(encode(photo(), "PNG", exif=exif), MAX_PIXELS)
    assert image.converted == ("orientation",)
    assert (image.width, image.height) == (40, 60)


def test_bilevel_becomes_grey():
    image = normalise(encode(photo().convert("1"), "PNG"), MAX_PIXELS)
    assert image.converted == ("lowbit",)
    assert image.channels == 1
    assert set(np.unique(pixels(image))) == {0, 255}


def test_palette_becomes_colour():
    source = photo().quantize(16)
    image = normalise(encode(source, "PNG"), MAX_PIXELS)
    assert image.converted == ("palette",)
    assert np.array_equal(pixels(image), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_composited_on_white(mode):
    clear = Image.new(mode, (8, 8))
    image = normalise(encode(clear, "PNG"), MAX_PIXELS)
    assert image.converted == ("alpha",)
    assert image.channels == (3 if mode == "RGBA" else 1)
    assert pixels(image).min() == 255


def test_a_transparent_colour_is_composited_on_white():
    raw = encode(Image.new("RGB", (8, 8), (10, 20, 30)), "PNG", transparency=(10, 20, 30))
    image = normalise(raw, MAX_PIXELS)
    assert image.converted == ("alpha",)
    assert pixels(image).min() == 255


def test_cmyk_becomes_colour():
    image = normalise(encode(photo().convert("CMYK"), "JPEG", quality=95), MAX_PIXELS)
    assert image.converted == ("cmyk",)
    assert np.abs(pixels(image) - np.asarray(photo())).mean() < 6


def test_a_png_with_a_broken_text_chunk_is_written_anew():
    whole = encode(photo(), "PNG")
    end = whole.index(b"IEND") - 4
    bad_chunk = struct.pack(">I", 3) + b"tEXt" + b"a\0b" + b"\0\0\0\0"
    image = normalise(whole[:end] + bad_chunk + whole[end:], MAX_PIXELS)
    assert image.converted == ("repaired",)
    assert np.array_equal(pixels(image), np.asarray(photo()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_refuses_truncated_files(kind, part):
    whole = encode(photo(300, 200), kind)
    assert refusal(whole[: int(len(whole) * part)]).code in ("truncated", "corrupt")


def test_truncation_is_found_in_the_last_bytes_of_a_large_jpeg():
    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    whole = encode(Image.fromarray(noise), "JPEG")
    assert refusal(whole[:-2000]).code == "truncated"


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (b"", "empty", "empty"),
        (b"hello, this is text\n" * 9, "not_an_image", "it is text"),
        (b"\x00\x01\x02\xff" * 99, "not_an_image", "no known image format"),
        (b"%PDF-1.7 \xff", "not_an_image", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "unsupported_format", "HEIC"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0", "unsupported_format", "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "unsupported_format", "JPEG XL"),
        (bytes(128) + b"DICM" + bytes(40), "unsupported_format", "DICOM"),
        (bytes(4096), "not_an_image", "no known image format"),
        (b"\xff\xd8\xff\xe0\x00\x10JF", "corrupt", "JPEG"),
        (b"P5\n-3 x\n255\n" + bytes(99), "corrupt", "PNM"),
        (b"P2 is a room\n", "not_an_image", "it is text"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "not_an_image", "`git lfs pull`"),
        (b"\n<!DOCTYPE html><html>429", "not_an_image", "a page of the web"),
        (b"<HTML>sign in", "not_an_image", "a page of the web"),
        (bytes(5000), "not_an_image", "nothing but zeroes"),
    ],
)
def test_refuses_what_is_no_image(raw, code, words):
    error = refusal(raw)
    assert error.code == code
    assert words in error.reason


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_refuses_animations(kind):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime", "blue")]
    raw = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert refusal(raw).code == "animated"


def test_refuses_a_decompression_bomb_by_its_header():
    side = 40_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
    bomb += struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb += struct.pack(">I", 4) + b"IDAT" + b"x\x9c\0\0" + b"\0\0\0\0"
    error = refusal(bomb, max_pixels=100_000_000)
    assert error.code == "too_many_pixels"
    assert "40000 x 40000" in error.reason


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM"])
def test_the_limit_of_the_process_is_neither_lifted_nor_asked(kind, monkeypatch):
    assert Image.MAX_IMAGE_PIXELS is not None
    raw = encode(photo().convert("CMYK" if kind == "JPEG" else "RGB"), kind)
    deep = encode(Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert normalise(raw, 2400).width == normalise(deep, 2400).width == 60
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(raw))


def test_the_limit_of_pixels_is_the_callers():
    raw = encode(photo(60, 40), "PNG")
    assert normalise(raw, 2400).width == 60
    assert refusal(raw, 2399).code == "too_many_pixels"


def test_refuses_spacers():
    assert refusal(encode(Image.new("RGB", (1, 1)), "PNG")).code == "too_small"


def test_the_same_picture_has_the_same_figures_in_every_format():
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    source = Image.fromarray(noise).resize((512, 384), Image.Resampling.BICUBIC)
    figures = [
        describe(normalise(encode(source, kind, **options), MAX_PIXELS).thumbnail)
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 90}), ("BMP", {}))
    ]
    for other in figures[1:]:
        assert other.brightness_mean == pytest.approx(figures[0].brightness_mean, abs=0.01)
        assert other.brightness_std == pytest.approx(figures[0].brightness_std, abs=0.01)
        assert hamming_distance(other.phash, figures[0].phash) <= 4
