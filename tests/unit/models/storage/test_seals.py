from pathlib import Path

import pytest

from models.storage.seals import (
    SUMS,
    changed_file,
    is_sealed,
    read_sealed,
    tree_digest,
    write_sealed,
    write_sums,
)


@pytest.mark.parametrize("content", [b"", b"text\n", bytes(range(256)) * 9000])
def test_a_sealed_file_comes_back(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "folder" / "file"
    write_sealed(file, content)
    assert read_sealed(file) == content
    assert is_sealed(file)


def test_any_flipped_bit_and_any_cut_counts_as_absent(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_sealed(file, b"content")
    whole = file.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))] + [whole + b"\n"]
    for position in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[position] ^= 1 << bit
            damaged.append(bytes(flipped))
    for content in damaged:
        file.write_bytes(content)
        assert read_sealed(file) is None
        assert not is_sealed(file)


def test_what_is_no_file_counts_as_absent(tmp_path: Path) -> None:
    assert read_sealed(tmp_path) is None
    assert not is_sealed(tmp_path / "none")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "é data").write_bytes(b"values")
    write_sums(folder)
    return folder


def test_a_whole_export_has_no_changed_file(export: Path) -> None:
    assert changed_file(export) is None
    assert (export / SUMS).read_text().count("\n") == 2


def test_the_changed_file_is_named(export: Path) -> None:
    before = tree_digest(export)
    (export / "variables" / "é data").write_bytes(b"valuez")
    assert changed_file(export) == "variables/é data"
    assert tree_digest(export) != before
    (export / "variables" / "é data").unlink()
    assert changed_file(export) == "variables/é data"


def test_a_file_too_many_is_named(export: Path) -> None:
    (export / "notes").write_bytes(b"")
    assert changed_file(export) == "notes"


def test_damaged_sums_are_damage(export: Path) -> None:
    sums = (export / SUMS).read_bytes()
    for content in (b"", sums[:10], sums[:-1] + b"x", b"\xff" + sums[1:]):
        (export / SUMS).write_bytes(content)
        assert changed_file(export) is not None
    (export / SUMS).unlink()
    assert changed_file(export) == SUMS


def test_a_missing_folder_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is no folder"):
        tree_digest(tmp_path / "none")
