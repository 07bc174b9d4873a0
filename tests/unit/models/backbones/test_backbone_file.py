"""A fine-tuned backbone as a file: what it says of itself, and that damage shows."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from models.backbone_record import BackboneRecord, Link, chain_words, read_record
from models.backbones import build_backbone
from models.backbones.backbone_file import read_images, short_digests, write_backbone
from models.backbones.licences import weights_licence
from models.errors import UsageError

NAME, SIZE = "MobileNet", 32


def record_of(weights_digest: str, **changes: Any) -> BackboneRecord:
    link = Link(
        name="garments version 3",
        run="20261129-1",
        data_fingerprint="f" * 64,
        images=1200,
        classes=5,
        begun_from="0" * 64,
        weights_digest=weights_digest,
    )
    told = {"backbone": NAME, "image_size": SIZE, "resize": "stretch", "licence": "Under MIT."}
    return BackboneRecord(**{**told, "links": (link,), **changes})


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, BackboneRecord]:
    """A backbone of random weights."""
    backbone = build_backbone(NAME, "none", SIZE)
    record = record_of(backbone.weights_digest)
    file = tmp_path / "made" / "garments.weights.h5"
    write_backbone(backbone.trunk.save_weights, record, short_digests(["ab" * 32]), file)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    return file, record


def test_another_run_gets_the_weights_and_what_is_told_of_them(
    written: tuple[Path, BackboneRecord],
) -> None:
    file, record = written
    assert read_record(file) == record
    assert read_images(file).tolist() == [0xABABABABABABABAB]
    loaded = build_backbone(NAME, str(file), SIZE, features="all")
    assert loaded.weights_digest == record.links[-1].weights_digest
    licence = weights_licence(NAME, str(file))
    assert "garments version 3 (1,200 images of 5 classes, data ffffffffffffffff" in licence
    assert licence.endswith("Under MIT.")


def test_changed_weights_are_refused(written: tuple[Path, BackboneRecord]) -> None:
    file, _ = written

    def change(_: str, item: h5py.Dataset | h5py.Group) -> bool | None:
        if isinstance(item, h5py.Dataset) and item.ndim == 4:
            item[0, 0, 0, 0] += 1.0
            return True
        return None

    with h5py.File(file, "r+") as weights:
        assert weights.visititems(change)
    with pytest.raises(UsageError, match="is damaged: its weights are not those"):
        build_backbone(NAME, str(file), SIZE)


@pytest.mark.parametrize("told", [b"no JSON", b"{}", b'{"version": 2}', b"[" * 100_000])
def test_a_damaged_account_is_refused(written: tuple[Path, BackboneRecord], told: bytes) -> None:
    file, _ = written
    with h5py.File(file, "r+") as weights:
        del weights["graft"]
        weights.create_dataset("graft", data=np.frombuffer(told, np.uint8))
    with pytest.raises(UsageError, match="what it says of the backbone cannot be read"):
        read_record(file)


def test_a_cut_file_is_refused(written: tuple[Path, BackboneRecord]) -> None:
    file, _ = written
    file.write_bytes(file.read_bytes()[:-2000])
    for read in (read_record, read_images):
        with pytest.raises(UsageError, match="is damaged"):
            read(file)
    with pytest.raises(UsageError, match="do not fit"):
        build_backbone(NAME, str(file), SIZE)


def test_weights_of_others_tell_nothing(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights(tmp_path / "own.weights.h5")
    assert read_record(tmp_path / "own.weights.h5") is None
    assert read_record("imagenet") is None
    assert read_record(tmp_path / "own.keras") is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((NAME, SIZE, "stretch"), ""),
        (("MobileNetV2", SIZE, "stretch"), "and the configuration has backbone: MobileNetV2"),
        ((NAME, 96, "crop"), "and the configuration has image_size: 96, resize: crop"),
    ],
)
def test_a_run_that_asks_for_something_else_is_told(
    asked: tuple[str, int, str], words: str
) -> None:
    told = record_of("1" * 64).misfit(*asked)
    assert words in told
    assert bool(told) == bool(words)
    assert not told or f"backbone: {NAME}, image_size: {SIZE}, resize: stretch" in told


def test_the_chain_is_told_in_order() -> None:
    first, second = record_of("1" * 64).links[0], record_of("2" * 64).links[0]
    renamed = second.model_copy(update={"name": "shoes"})
    told = chain_words([each.model_dump() for each in (first, renamed)])
    assert told.startswith("garments version 3 (")
    assert "; then shoes (1,200 images" in told
    assert chain_words([]) == ""


def test_a_file_of_another_kind_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.weights\.h5"):
        write_backbone(lambda _: None, record_of("1"), short_digests([]), tmp_path / "a.keras")
