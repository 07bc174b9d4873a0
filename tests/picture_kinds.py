"""One picture in every kind of file that people send, made with Pillow."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

PIXELS = load_sample_image("flower.jpg")[100:196, 200:328]
"""uint8 [96, 128, 3]."""
_RANDOM = np.random.default_rng(0)
_ALPHA = _RANDOM.integers(0, 256, PIXELS.shape[:2], np.uint8)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exact_kinds() -> dict[str, bytes]:
    """Those that ingest keeps without loss."""
    picture = Image.fromarray(PIXELS)
    grey, with_alpha, palette = picture.convert("L"), picture.copy(), picture.quantize(200)
    grey_with_alpha = grey.copy()
    for image in (with_alpha, grey_with_alpha):
        image.putalpha(Image.fromarray(_ALPHA))
    few = picture.quantize(13)
    colour = tuple(int(value) for value in PIXELS[5, 5])
    return {
        "jpeg": encode(picture, "JPEG"),
        "jpeg grey": encode(grey, "JPEG"),
        "jpeg progressive": encode(picture, "JPEG", progressive=True),
        "jpeg upright by EXIF": _turned(1),
        "png": encode(picture, "PNG"),
        "png grey": encode(grey, "PNG"),
        "png of 1 bit": encode(picture.convert("1"), "PNG"),
        "png interlaced": _interlaced_png(),
        "png palette": encode(palette, "PNG"),
        "png palette of 4 bits": encode(few, "PNG", bits=4),
        "png palette, one colour transparent": encode(palette, "PNG", transparency=7),
        "png palette with alpha": encode(palette, "PNG", transparency=_ALPHA[:2].tobytes()[:200]),
        "png palette of 4 bits, transparent": encode(few, "PNG", bits=4, transparency=3),
        "png alpha": encode(with_alpha, "PNG"),
        "png grey and alpha": encode(grey_with_alpha, "PNG"),
        "png grey, one level transparent": encode(grey, "PNG", transparency=100),
        "png one colour transparent": encode(picture, "PNG", transparency=colour),
        "png turned": encode(picture, "PNG", exif=_exif(6)),
        "png of 16 bits": _deep(PIXELS.astype(np.uint16) * 257),
        "png of 16 bits, grey": _deep(PIXELS[..., :1].astype(np.uint16) * 200 + 7),
        "png of 16 bits, alpha": _deep(np.dstack([PIXELS, _ALPHA]).astype(np.uint16) * 251),
        "png of 12 bits": _with_chunk(_deep(PIXELS.astype(np.uint16) * 16), b"sBIT", b"\x0c" * 3),
        "gif": encode(palette, "GIF"),
        "gif with a transparent colour": encode(palette, "GIF", transparency=5),
        "gif interlaced": encode(palette, "GIF", interlace=1),
        "gif animated": encode(
            palette, "GIF", save_all=True, append_images=[picture.rotate(90), picture.rotate(180)]
        ),
        "bmp": encode(picture, "BMP"),
        "bmp grey": encode(grey, "BMP"),
        "bmp palette": encode(palette, "BMP"),
        "bmp of 32 bits": encode(with_alpha, "BMP"),
    }


def lossy_kinds() -> dict[str, bytes]:
    """Those that ingest writes anew as a fine JPEG."""
    picture = Image.fromarray(PIXELS)
    turned = {f"jpeg turned, {number}": _turned(number) for number in range(2, 9)}
    big_endian = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    return {
        **turned,
        "jpeg turned, big endian": encode(picture, "JPEG", quality=95, exif=big_endian),
        "jpeg cmyk": encode(picture.convert("CMYK"), "JPEG", quality=95),
    }


def foreign_kinds() -> dict[str, tuple[bytes, str]]:
    """Those that the served model refuses, and a part of its words."""
    picture = Image.fromarray(PIXELS)
    jpeg, gif = encode(picture, "JPEG"), encode(picture.quantize(64), "GIF")
    cmyk = encode(picture.convert("CMYK"), "JPEG")
    adobe = cmyk.index(b"Adobe")
    return {
        "webp": (encode(picture, "WEBP"), "it is a WebP; expected JPEG, PNG, GIF or BMP"),
        "tiff": (encode(picture, "TIFF"), "it is a TIFF"),
        "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "it is a HEIC or AVIF"),
        "text": (b"hello", "it is of no known kind"),
        "empty": (b"", "it is of no known kind"),
        "gif of blocks without an end": (
            gif[:10] + b"\0" + gif[11:13] + b"\x21\xfe" + b"\x01x" * 5_000_000,
            "not be cut short",
        ),
        "gif cut": (gif[:-300], "not be cut short"),
        "bmp cut": (encode(picture, "BMP")[:-300], "a BMP should be whole"),
        "bmp of 1 bit": (encode(picture.convert("1"), "BMP"), "a BMP should be whole"),
        "jpeg cut": (jpeg[:-300], "Invalid JPEG data"),
        "png cut": (encode(picture, "PNG")[:-3000], "Invalid PNG data"),
        "cmyk without a word on its colours": (
            cmyk[: adobe - 4] + cmyk[adobe + 12 :],
            "a CMYK JPEG should say how its colours are stored",
        ),
        "too small": (encode(picture.crop((0, 0, 3, 50)), "PNG"), "3 x 50 pixels; a side needs"),
    }


def bombs(side: int) -> dict[str, bytes]:
    """Small files of side² pixels."""
    idat = zlib.compressobj(9)
    packed = b"".join(idat.compress(bytes(1 + side)) for _ in range(side)) + idat.flush()
    size = struct.pack(">II", side, side)
    little = struct.pack("<HH", side, side)
    png = _png(size + b"\x08\x00\0\0\0", packed)
    jpeg = encode(Image.new("L", (16, 16)), "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    huge = jpeg[: frame + 5] + struct.pack(">HH", side, side) + jpeg[frame + 9 :]
    gif = encode(Image.new("P", (16, 16)), "GIF")
    return {
        "png": png,
        "png deep with alpha": _png(size + b"\x10\x06\0\0\0", packed),
        "jpeg": huge,
        "jpeg progressive": huge.replace(b"\xff\xc0", b"\xff\xc2"),
        "gif": gif.replace(b"\x10\0\x10\0", little),
        "bmp": b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, side, side, 1, 24, *[0] * 6),
    }


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _turned(orientation: int) -> bytes:
    return encode(Image.fromarray(PIXELS), "JPEG", quality=95, exif=_exif(orientation))


def _deep(pixels: np.ndarray) -> bytes:
    return tf.io.encode_png(pixels).numpy()


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _png(header: bytes, packed: bytes) -> bytes:
    chunks = (b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    return png[:33] + _chunk(kind, body) + png[33:]


def _interlaced_png() -> bytes:
    """Adam7, which Pillow reads and does not write."""
    passes = (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)
    rows = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, across in (*passes, (1, 0, 2, 1))
        for row in PIXELS[top::down, left::across]
    )
    height, width, _ = PIXELS.shape
    return _png(struct.pack(">II", width, height) + b"\x08\x02\0\0\x01", zlib.compress(rows))
