"""A damaged metadata store is told in words, with what to do."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from pipeline.metadata_store import MetadataFile, MetadataStoreError


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of some pages, in a workspace with artifacts."""
    file = tmp_path / "metadata.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE Artifact (id INTEGER PRIMARY KEY, uri TEXT UNIQUE)")
    rows = [(f"/workspace/artifacts/Trainer/model/{number}",) for number in range(2000)]
    connection.executemany("INSERT INTO Artifact (uri) VALUES (?)", rows)
    connection.commit()
    connection.close()
    (tmp_path / "artifacts" / "Trainer" / "model" / "7").mkdir(parents=True)
    return file


_OVERWRITTEN = {
    "empty": lambda _: b"",
    "cut": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: bytes(len(whole)),
    "text": lambda _: b"nothing\n" * 1000,
    "a page of zeros": lambda whole: whole[:8192] + bytes(4096) + whole[12288:],
    "a page of noise": lambda whole: whole[:8192] + b"\x5a" * 4096 + whole[12288:],
    "no header": lambda whole: bytes(100) + whole[100:],
}


@pytest.mark.parametrize("damage", _OVERWRITTEN)
@pytest.mark.parametrize("recorded", [True, False])
def test_damage_is_told_in_words(store: Path, damage: str, recorded: bool) -> None:
    if recorded:
        MetadataFile(store).end_writing()
    MetadataFile(store).check()
    store.write_bytes(_OVERWRITTEN[damage](store.read_bytes()))
    with pytest.raises(MetadataStoreError) as caught:
        MetadataFile(store).check()
    assert str(store) in str(caught.value)
    assert "Move it away to start afresh" in str(caught.value)
    assert "SELECT" not in str(caught.value)


def test_another_database_is_not_taken_for_a_new_store(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("DROP TABLE Artifact")
        connection.execute("CREATE TABLE Other (id INTEGER)")
    with pytest.raises(MetadataStoreError, match="nothing of ML Metadata"):
        MetadataFile(store).check()


def test_any_flipped_byte_is_found_while_a_digest_is_there(store: Path) -> None:
    MetadataFile(store).end_writing()
    whole = store.read_bytes()
    for position in range(0, len(whole), 997):
        store.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        with pytest.raises(MetadataStoreError, match="not what the last run left"):
            MetadataFile(store).check()
    store.write_bytes(whole)
    MetadataFile(store).check()


@pytest.mark.parametrize("content", [b"", b"0" * 64 + b"\n", b"\xff\xfe"])
def test_a_damaged_digest_is_named(store: Path, content: bytes) -> None:
    MetadataFile(store).digest_file.write_bytes(content)
    with pytest.raises(MetadataStoreError) as caught:
        MetadataFile(store).check()
    assert str(MetadataFile(store).digest_file) in str(caught.value)
    MetadataFile(store).begin_writing()
    MetadataFile(store).check()


def test_a_store_that_a_kill_left_empty_is_a_new_one(tmp_path: Path) -> None:
    store = tmp_path / "metadata.sqlite"
    store.write_bytes(b"")
    MetadataFile(store).check()


def test_a_broken_off_transaction_leaves_no_digest(store: Path) -> None:
    journal = store.with_name("metadata.sqlite-journal")
    journal.write_bytes(b"")
    MetadataFile(store).end_writing()
    assert not MetadataFile(store).digest_file.exists()


def test_sql_is_not_quoted() -> None:
    cause = "mysql_query failed: errno: 11, error: disk image is malformed query: SELECT * FROM x"
    words = str(MetadataFile(Path("/w/metadata.sqlite")).unreadable(cause))
    assert "SELECT" not in words
    assert "disk image is malformed. Move it away" in words
