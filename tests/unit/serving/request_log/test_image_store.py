"""Tests of what keeps the bytes of images."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.observation.kept_images import kept_image, kept_image_path
from serving.request_log.image_store import ImageStore
from serving.request_log.settings import LEAST_BYTES, RequestLogSettings


def _digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def _keep(folder: Path, images: Iterable[bytes]) -> None:
    store = ImageStore(RequestLogSettings(folder, keep_images=True, keep_bytes=LEAST_BYTES))
    for image in images:
        digest = np.frombuffer(bytes.fromhex(_digest(image)), np.uint8)[None]
        store.keep([image], digest)
    store.close()


def test_files_of_others_stay_and_take_no_room(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "ab" / "@eaDir"
    folder.mkdir(parents=True)
    note = folder.with_name("note.txt")
    note.write_text("of somebody else")
    os.utime(folder, (0, 0))
    os.utime(note, (0, 0))
    _keep(tmp_path, [b"image"])
    assert kept_image(tmp_path, _digest(b"image")) == b"image"
    assert note.exists()


def test_an_image_whose_days_are_over_is_kept_anew(tmp_path: Path) -> None:
    path = kept_image_path(tmp_path, _digest(b"image"))
    _keep(tmp_path, [b"image"])
    os.utime(path, (0, 0))
    _keep(tmp_path, [b"image"])
    assert path.stat().st_mtime > 0


def test_an_image_that_is_there_takes_no_other_one_away(tmp_path: Path) -> None:
    images = [bytes([number]) * (7 * 2**20) for number in range(9)]
    _keep(tmp_path, images)
    _keep(tmp_path, [images[-1]] * 3)
    kept = [kept_image(tmp_path, _digest(image)) is not None for image in images]
    assert kept == [True] * 9
