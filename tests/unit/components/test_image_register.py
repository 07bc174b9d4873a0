from pathlib import Path

from components.image_register import REGISTER_FILE, ImageRegister, read_register

ROWS = [("0a" * 32, "train", "ö"), ("0b" * 32, "test", "a\nb"), ("0c" * 32, "test", "ö")]


def test_a_register_reads_back(tmp_path: Path) -> None:
    ImageRegister.of(ROWS).save(tmp_path / REGISTER_FILE)
    read = read_register(tmp_path)
    assert read is not None
    assert read.by_class() == {bytes.fromhex(digest): label for digest, _, label in ROWS}
    assert read.in_splits("test") == {b"\x0b" * 32, b"\x0c" * 32}
    assert read.in_splits("train", "validation") == {b"\x0a" * 32}


def test_an_empty_one_too(tmp_path: Path) -> None:
    ImageRegister.of([]).save(tmp_path / REGISTER_FILE)
    read = read_register(tmp_path)
    assert read is not None
    assert (read.by_class(), read.classes) == ({}, ())


def test_a_damaged_one_is_none(tmp_path: Path) -> None:
    assert read_register(tmp_path) is None
    ImageRegister.of(ROWS).save(tmp_path / REGISTER_FILE)
    content = bytearray((tmp_path / REGISTER_FILE).read_bytes())
    content[200] ^= 1
    (tmp_path / REGISTER_FILE).write_bytes(content)
    assert read_register(tmp_path) is None
