"""Tests of what makes Parquet files of segments and deletes them."""

import os
from pathlib import Path

import pytest
from request_logs import answered, write_log_file, write_segment

from models.observation.kept_images import UNFINISHED, kept_image_path
from models.observation.log_entry import encode
from models.observation.request_log_files import LogFile, log_files, write_parquet
from models.observation.segment import SegmentWriter
from serving.request_log import writer as writer_module
from serving.request_log.writer import DAMAGED, Writer

_DAYS = 30.0


def _ids(folder: Path) -> list[str]:
    found: list[str] = []
    for file in log_files(folder):
        for batch in file.batches():
            found += batch["request_id"].to_pylist()
    return found


def test_finished_segments_become_parquet(tmp_path: Path) -> None:
    write_segment(tmp_path, [answered(0)])
    held = LogFile(tmp_path, "2" * 16 + "-00000000")
    segment = SegmentWriter(held.segment, 2**16)
    segment.append(encode(answered(1)))
    writer = Writer(tmp_path, _DAYS, 2**30)
    writer.step()
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet", ".segment"}
    assert _ids(tmp_path) == ["request-0", "request-1"]
    segment.close()
    writer.step()
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}
    assert _ids(tmp_path) == ["request-0", "request-1"]


def test_a_segment_that_was_finished_before_a_kill_is_not_there_twice(tmp_path: Path) -> None:
    file = write_segment(tmp_path, [answered(0)])
    write_parquet(file)
    assert _ids(tmp_path) == ["request-0"]
    Writer(tmp_path, _DAYS, 2**30).step()
    assert not file.segment.exists()
    assert _ids(tmp_path) == ["request-0"]


def test_a_segment_without_an_entry_goes(tmp_path: Path) -> None:
    segment = SegmentWriter(LogFile(tmp_path, "2" * 16 + "-00000000").segment, 2**16)
    segment._memory.close()  # as when its process is killed
    os.close(segment._file)
    Writer(tmp_path, _DAYS, 2**30).step()
    assert not list(tmp_path.iterdir())


def test_what_is_no_segment_is_put_aside(tmp_path: Path) -> None:
    foreign = LogFile(tmp_path, "1" * 16 + "-00000000").segment
    foreign.write_bytes(b"something else")
    write_segment(tmp_path, [answered(0)])
    Writer(tmp_path, _DAYS, 2**30).step()
    assert foreign.with_name(foreign.name + DAMAGED).read_bytes() == b"something else"
    assert _ids(tmp_path) == ["request-0"]


def test_the_oldest_files_go_first(tmp_path: Path) -> None:
    files = [write_log_file(tmp_path, [answered(n, images=9)]) for n in range(6)]
    size = files[0].parquet.stat().st_size
    Writer(tmp_path, _DAYS, int(size * 3.5)).step()
    assert log_files(tmp_path) == tuple(files[3:])


def test_files_of_other_days_go(tmp_path: Path) -> None:
    old, new = (write_log_file(tmp_path, [answered(n)]) for n in range(2))
    past = new.parquet.stat().st_mtime - (_DAYS + 1) * 86_400
    os.utime(old.parquet, (past, past))
    Writer(tmp_path, _DAYS, 2**30).step()
    assert log_files(tmp_path) == (new,)


def test_files_of_others_are_neither_counted_nor_deleted(tmp_path: Path) -> None:
    file = write_log_file(tmp_path, [answered(0)])
    others = [tmp_path / "notes.txt", tmp_path / "export.parquet", tmp_path / "a.damaged"]
    others.append(tmp_path / "images" / "ab" / "README")
    others[-1].parent.mkdir(parents=True)
    for other in others:
        other.write_bytes(bytes(100_000))
        os.utime(other, (0, 0))
    Writer(tmp_path, _DAYS, 50_000).step()
    assert all(other.exists() for other in others)
    assert file.parquet.exists()


def test_images_of_other_days_go_though_none_comes(tmp_path: Path) -> None:
    old, new = (kept_image_path(tmp_path, digit * 64) for digit in "ab")
    for path in (old, new, old.with_suffix(UNFINISHED)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image")
        if path != new:
            os.utime(path, (0, 0))
    Writer(tmp_path, _DAYS, 2**30).step()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [new]


def test_a_full_disk_leaves_the_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_segment(tmp_path, [answered(0)])

    def full(_: LogFile) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_module, "write_parquet", full)
    writer = Writer(tmp_path, _DAYS, 2**30)
    writer.step()
    assert file.segment.exists()
    monkeypatch.undo()
    writer.step()
    assert file.parquet.exists()
    assert not file.segment.exists()
