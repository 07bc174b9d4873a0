from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.example_gen import shards
from components.example_gen.measures import NONE, Measures, MeasuresMemory
from components.example_gen.shards import Shard, ShardResult, cut_shards, write_shard
from components.example_gen.sources.entries import LabelledImage, stamp_of
from models.storage.seals import file_digest

MEASURES = {"ab" * 32: Measures("png", 8, 9, 1, 0.1, 0.30000000000000004, 0.0, "0" * 16)}


@pytest.fixture
def images(tmp_path: Path) -> list[LabelledImage]:
    """Six that are taken as they are, and one that is converted."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(6)] + [tmp_path / "6.bmp"]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (9, 8, 3), np.uint8)).save(path)
    return [_image(path) for path in paths]


def _image(path: Path) -> LabelledImage:
    stamp = stamp_of(path.stat())
    return LabelledImage(
        str(path), path.name, "a", None, file_digest(path), stamp, stamp[0], 0, "", ()
    )


def _written(shard: Shard, folder: Path) -> tuple[bytes, ShardResult]:
    folder.mkdir()
    total = ShardResult()
    for result in write_shard(Shard.from_json(shard.to_json()), str(folder), 10_000, None):
        total.add(result)
    return (folder / shard.file_name).read_bytes(), total


def _no_decoding(*_: object) -> None:
    raise AssertionError("an image that is known was decoded")


def test_known_images_are_written_as_before_and_not_decoded(images, tmp_path, monkeypatch):
    (first,) = cut_shards("train", images, 0)
    plain, result = _written(first, tmp_path / "first")
    kept = {image.sha256 for image in images if image.name.endswith(".png")}
    assert result.measures.keys() == kept
    (again,) = cut_shards("train", images[:6], 0, result.measures)
    (fresh,) = cut_shards("train", images[:6], 0)
    expected, _ = _written(fresh, tmp_path / "fresh")
    monkeypatch.setattr(shards, "normalise", _no_decoding)
    found, result_again = _written(again, tmp_path / "again")
    assert found == expected
    assert result_again.measures == result.measures
    assert plain != expected


def test_bytes_that_are_not_those_of_the_digest_are_measured(images, tmp_path):
    image = images[0]
    Image.new("L", (30, 20)).save(image.path)
    swapped = image._replace(stamp=stamp_of(Path(image.path).stat()))
    swapped = swapped._replace(size=swapped.stamp[0])
    (shard,) = cut_shards("train", [swapped], 0, {image.sha256: MEASURES["ab" * 32]})
    _, result = _written(shard, tmp_path / "out")
    assert result.measures[image.sha256].width == 30


def test_the_memory_gives_back_what_it_was_given(tmp_path):
    assert MeasuresMemory("", "root", "code", 10).known == NONE
    memory = MeasuresMemory(str(tmp_path), "root", "code", 10)
    assert memory.known == NONE
    memory.remember(MEASURES)
    assert MeasuresMemory(str(tmp_path), "root", "code", 10).known == MEASURES


@pytest.mark.parametrize(("root", "code", "most"), [("b", "c", 9), ("r", "d", 9), ("r", "c", 8)])
def test_what_was_measured_otherwise_is_forgotten(tmp_path, root, code, most):
    MeasuresMemory(str(tmp_path), "r", "c", 9).remember(MEASURES)
    assert MeasuresMemory(str(tmp_path), root, code, most).known == NONE


def test_a_damaged_memory_is_an_empty_one(tmp_path):
    MeasuresMemory(str(tmp_path), "r", "c", 9).remember(MEASURES)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"0.1", b"0.2"))
    assert MeasuresMemory(str(tmp_path), "r", "c", 9).known == NONE
