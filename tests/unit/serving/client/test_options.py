"""What a client is told."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import UsageError
from serving.client.async_client import AsyncGraftClient
from serving.client.files import batches
from serving.client.options import check_images, sendable_key


def test_what_a_file_has_around_a_key_is_not_of_it() -> None:
    assert sendable_key(" s3cret+/=\r\n") == "s3cret+/="
    assert sendable_key(None) is None


@pytest.mark.parametrize("key", ["é", "two\nlines", "nul\0"])
def test_a_key_that_no_header_can_hold_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(UsageError, match="characters that no header can hold"):
        AsyncGraftClient("http://localhost:1", api_key=key)


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (b"jpeg", "got bytes. "),
        ("photos/a.jpg", "got str. "),
        (Path("a.jpg"), "got PosixPath. "),
        (None, "got NoneType. "),
        (["a.jpg"], "got str in the list"),
        ([b"jpeg", Path("a.jpg")], "got PosixPath in the list"),
        ([np.zeros((4, 4, 3), np.uint8)], "got ndarray in the list"),
    ],
)
def test_what_is_no_list_of_encoded_images_is_refused_in_words(images: object, got: str) -> None:
    with pytest.raises(UsageError, match=got) as caught:
        check_images(images)
    assert "read_bytes" in str(caught.value)


def test_bytes_in_any_list_are_images() -> None:
    for images in ([b"a"], (b"a", bytearray(b"b")), [memoryview(b"c")], []):
        check_images(images)


def test_files_may_be_named_by_text_but_not_one_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"jpeg")
    ((file,),) = batches([str(tmp_path / "a.jpg")])
    assert (file.path, file.encoded) == (tmp_path / "a.jpg", b"jpeg")
    with pytest.raises(UsageError, match=r"list of paths, such as \['a.jpg'\]"):
        list(batches("a.jpg"))
