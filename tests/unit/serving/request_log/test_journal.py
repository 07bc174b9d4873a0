"""Tests of what takes entries without waiting."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from request_logs import answered

from models.observation.log_entry import Counts
from models.observation.request_log_files import log_files
from models.observation.segment import SegmentWriter
from serving.request_log import journal as journal_module
from serving.request_log.journal import Journal
from serving.request_log.settings import RequestLogSettings

_BIG = 300  # images of an entry, so that few fill a segment


class _NoProcess:
    """In the place of the process that makes Parquet files."""

    def __init__(self, settings: RequestLogSettings) -> None:
        pass

    def ensure(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 2**17)
    monkeypatch.setattr(journal_module, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(journal_module, "WriterProcess", _NoProcess)


@pytest.fixture
def settings(tmp_path: Path) -> RequestLogSettings:
    return RequestLogSettings(tmp_path / "log")


def _found(folder: Path) -> tuple[list[str], Counts]:
    ids, counts = [], Counts()
    for file in log_files(folder):
        for batch in file.batches():
            ids += batch["request_id"].to_pylist()
        counts.update(file.counts())
    return ids, counts


def _add_all(journal: Journal, numbers: range) -> list[int]:
    """Adds entries one after the other; each that is dropped is tried again."""
    for number in numbers:
        while not journal.add(answered(number, images=_BIG)):
            pass
    return list(numbers)


def test_entries_go_on_in_the_next_file(settings: RequestLogSettings) -> None:
    with Journal(settings) as journal:
        assert journal.add(answered(0))
        assert _found(settings.folder)[0] == ["request-0"]
        _add_all(journal, range(1, 12))
    ids, counts = _found(settings.folder)
    assert len(log_files(settings.folder)) > 2
    assert list(dict.fromkeys(ids)) == [f"request-{n}" for n in range(12)]
    assert sum(counts.requests.values()) == 12


def test_threads_may_write_at_a_time(settings: RequestLogSettings) -> None:
    with Journal(settings) as journal:
        threads = [
            threading.Thread(target=_add_all, args=(journal, range(n, n + 20)))
            for n in range(0, 80, 20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ids, _ = _found(settings.folder)
    assert sorted(ids) == sorted([f"request-{n}" for n in range(80)] * _BIG)


class _Disk:
    """Makes segments as a full or a slow disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.fast = threading.Event()
        self.fast.set()
        monkeypatch.setattr(journal_module, "SegmentWriter", self.segment)

    def segment(self, *arguments: Any) -> SegmentWriter:
        assert self.fast.wait(60)
        if self.full:
            raise OSError(28, "No space left on device")
        return SegmentWriter(*arguments)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Disk]:
    disk = _Disk(monkeypatch)
    yield disk
    disk.fast.set()


def _fill(journal: Journal) -> int:
    """Adds until an entry is dropped; returns how many were not."""
    for number in range(1000):
        if not journal.add(answered(number, images=_BIG)):
            return number
    raise AssertionError


def _until_taken(journal: Journal, number: int) -> int:
    """Adds until an entry is taken again; returns how many were dropped."""
    dropped = 0
    while not journal.add(answered(number)):
        dropped += 1
    return dropped


@pytest.mark.parametrize("fault", ["full", "slow"])
def test_what_a_disk_does_not_take_is_dropped_and_counted(
    settings: RequestLogSettings, disk: _Disk, fault: str
) -> None:
    with Journal(settings) as journal:
        disk.full = fault == "full"
        if fault == "slow":
            disk.fast.clear()
        taken = _fill(journal)
        assert not journal.add(answered(9000))
        disk.full = False
        disk.fast.set()
        dropped = 2 + _until_taken(journal, 9001)
    ids, counts = _found(settings.folder)
    assert list(dict.fromkeys(ids)) == [*(f"request-{n}" for n in range(taken)), "request-9001"]
    assert sum(counts.dropped.values()) == dropped


def test_a_log_that_cannot_be_opened_begins_when_it_can(settings: RequestLogSettings) -> None:
    settings.folder.write_text("a file in the way")
    with Journal(settings) as journal:
        assert not journal.add(answered(0))
        settings.folder.unlink()
        _until_taken(journal, 1)
    assert _found(settings.folder)[0] == ["request-1"]


def test_a_log_that_was_moved_is_told_and_goes_on_where_it_was(
    settings: RequestLogSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Journal(settings) as journal:
        _add_all(journal, range(3))
        assert "is gone" not in caplog.text
        moved = settings.folder.rename(tmp_path / "moved")
        _add_all(journal, range(3, 12))
    assert "log is gone, and begins there anew. If its workspace was moved" in caplog.text
    ids = _found(moved)[0] + _found(settings.folder)[0]
    assert list(dict.fromkeys(ids)) == [f"request-{n}" for n in range(12)]


def test_files_that_wait_are_few(settings: RequestLogSettings, monkeypatch: Any) -> None:
    monkeypatch.setattr(journal_module, "_MOST_WAITING", 3)
    with Journal(settings) as journal:
        while len(log_files(settings.folder)) < 3:
            journal.add(answered(0, images=_BIG))
        for number in range(200):
            journal.add(answered(number, images=_BIG))
            assert len(log_files(settings.folder)) == 3


def test_what_was_dropped_at_the_end_is_told(
    settings: RequestLogSettings, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "_MOST_WAITING", 1)
    with Journal(settings) as journal:
        written = [journal.add(answered(number, _BIG)) for number in range(30)]
    lost = written[::-1].index(True)
    assert lost
    assert f"lacks the last {lost} requests" in caplog.text


def test_an_old_file_is_finished_though_it_is_not_full(
    settings: RequestLogSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_OLDEST_SECONDS", 0.0)
    with Journal(settings) as journal:
        number = 0
        while len(log_files(settings.folder)) < 4:
            number += journal.add(answered(number))
    assert _found(settings.folder)[0] == [f"request-{n}" for n in range(number)]


def test_a_disk_is_never_filled_to_its_end(
    settings: RequestLogSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_FREE_SHARE", 1.0)
    with Journal(settings) as journal:
        assert not journal.add(answered(0))
    assert log_files(settings.folder) == ()


def test_settings_that_cannot_be_are_refused(settings: RequestLogSettings) -> None:
    for wrong in ({"sample_rate": 1.1}, {"keep_days": 0}, {"keep_bytes": 1}):
        with pytest.raises(Exception, match=r"must be|needs"):
            replace(settings, **wrong)
