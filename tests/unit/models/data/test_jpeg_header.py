import io

import numpy as np
import pytest
from PIL import Image

from models.data.jpeg_header import PlainJpeg, decode_luma, read_plain_header

ORIENTATION = 0x0112
MAKE = 0x010F


def noise(width: int = 90, height: int = 60, channels: int = 3) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values.squeeze())


def encode(image: Image.Image, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", **options)
    return target.getvalue()


def exif(**tags: object) -> Image.Exif:
    made = Image.Exif()
    for name, value in tags.items():
        made[{"orientation": ORIENTATION, "make": MAKE}[name]] = value
    return made


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta><rdf tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("progressive", [False, True])
def test_reads_size_and_luma_as_pillow_does(channels, progressive):
    raw = encode(noise(channels=channels), progressive=progressive)
    assert read_plain_header(raw) == PlainJpeg(90, 60, channels)
    shown = Image.open(io.BytesIO(raw))
    shown.draft("L", (45, 30))
    luma = decode_luma(raw, 45, 30)
    assert luma is not None
    assert np.array_equal(luma, np.asarray(shown))


@pytest.mark.parametrize(
    "options",
    [
        {"exif": exif(make="a camera")},
        {"exif": exif(make="a camera", orientation=1)},
        {"exif": exif(orientation=1), "xmp": xmp(6)},
        {"icc_profile": b"a profile", "comment": b"a comment"},
    ],
)
def test_an_upright_photo_is_plain(options):
    assert read_plain_header(encode(noise(), **options)) is not None


@pytest.mark.parametrize(
    "raw",
    [
        encode(noise(), exif=exif(orientation=6)),
        encode(noise(), xmp=xmp(6)),
        encode(noise().convert("CMYK")),
        encode(noise(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x00"),
        encode(noise())[:200],
        b"\xff\xd8",
        b"\xff\xd8\xff\xfftext",
        b"text",
        b"",
    ],
    ids=["exif", "xmp", "cmyk", "broken exif", "short", "start", "fill", "text", "empty"],
)
def test_what_is_special_or_damaged_is_left_to_pillow(raw):
    assert read_plain_header(raw) is None


def test_a_jpeg_that_ends_early_is_left_to_pillow():
    raw = encode(noise())
    assert read_plain_header(raw[:-400]) is not None
    assert decode_luma(raw[:-400], 90, 60) is None
