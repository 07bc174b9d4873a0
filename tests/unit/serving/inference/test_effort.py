"""Which requests are short."""

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from serving.inference.effort import is_short, pixels_of
from serving.inference.signature_call import SignatureCall


def _picture(kind: str, width: int, height: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, kind, **options)
    return buffer.getvalue()


def _is_short(value: Any) -> bool:
    model: Any = SimpleNamespace()
    return is_short(SignatureCall(model, {"x:0": np.asarray(value)}, ("y:0",), ("y",)))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
def test_the_header_says_how_many_pixels(kind: str) -> None:
    assert pixels_of(_picture(kind, 30, 20)) == 600


@pytest.mark.parametrize("options", [{"progressive": True}, {"exif": b"Exif\0\0" + bytes(60_000)}])
def test_a_jpeg_has_its_size_behind_other_segments(options: dict[str, Any]) -> None:
    assert pixels_of(_picture("JPEG", 300, 200, **options)) == 60_000


def test_an_image_in_an_example_is_found() -> None:
    example = tf.train.Example()
    example.features.feature["label"].bytes_list.value.append(b"cat")
    example.features.feature["image"].bytes_list.value.append(_picture("PNG", 70, 3))
    assert pixels_of(example.SerializeToString()) == 210


@pytest.mark.parametrize(
    "text", [b"", b"no image", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]
)
def test_what_is_no_whole_header_is_no_image(text: bytes) -> None:
    assert pixels_of(text) == 0


def test_a_header_without_an_end_is_long() -> None:
    endless = b"\xff\xd8" + b"\xff\xe0\0\2" * 10_000
    assert not _is_short(np.array([endless], dtype=object))


def test_rows_pixels_and_bytes_decide() -> None:
    small, large = _picture("JPEG", 640, 480), _picture("PNG", 4000, 3000)
    assert _is_short(np.array([small] * 6, dtype=object))
    assert not _is_short(np.array([small] * 7, dtype=object))
    assert not _is_short(np.array([large], dtype=object))
    assert not _is_short(np.array([bytes(2**20 + 1)], dtype=object))
    assert _is_short(np.zeros((8, 2)))
    assert _is_short(3.0)
    assert not _is_short(np.zeros((9, 2)))
