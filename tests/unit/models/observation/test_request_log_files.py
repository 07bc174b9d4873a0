"""Tests of the files of a request log."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from request_logs import answered, failed, write_log_file, write_segment

from models.observation.log_entry import CountKey, Entry, decode, encode
from models.observation.request_log_files import LogFile, LogFileError, log_files, write_parquet
from models.observation.request_record import RECORD
from models.observation.segment import SegmentWriter, read_segment

_ENTRIES = [
    answered(0, images=2),
    failed(1),
    Entry(1.8e9 + 70, model="m", version=3, images=4, first_row=0),
    Entry(1.8e9 + 71, "request-9", "GRPC", "m", 3, weight=1.0, first_row=0, dropped=6),
    answered(3, first_row=32, is_counted=False),
]


def _table(file: LogFile, first_row: int = 0) -> pa.Table:
    return pa.Table.from_batches(file.batches(first_row), RECORD)


def test_an_entry_is_read_back_as_it_was_written():
    for entry in _ENTRIES:
        again = decode(encode(entry))
        for name in ("time", "request_id", "model", "version", "weight", "dropped", "rows"):
            assert getattr(again, name) == getattr(entry, name)
        assert list(again.columns) == list(entry.columns)
        for name, column in entry.columns.items():
            np.testing.assert_array_equal(again.columns[name], column)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"[" + b"0," * 12 + b"{}]", encode(_ENTRIES[0])[:-5]]
)
def test_bytes_that_are_no_entry_are_refused(content):
    with pytest.raises(ValueError, match="no entry of a request log"):
        decode(content)


def test_parquet_has_the_rows_and_counts_of_its_segment(tmp_path):
    file = write_segment(tmp_path, _ENTRIES)
    rows, counts = _table(file), file.counts()
    assert write_parquet(file) == ""
    file.segment.unlink()
    assert _table(file).equals(rows)
    assert file.counts() == counts
    assert pq.read_schema(file.parquet).equals(RECORD)


def test_rows_say_what_is_known_of_each_image(tmp_path):
    rows = _table(write_segment(tmp_path, _ENTRIES)).to_pylist()
    assert [row["request_id"] for row in rows] == [
        *["request-0", "request-0", "request-1", "request-9", "request-3"]
    ]
    assert [row["row"] for row in rows] == [0, 1, -1, 0, 32]
    assert rows[1]["digest"] == _ENTRIES[0].columns["digest"][1].tobytes().hex()
    assert rows[1]["class_ids"] == [2, 0, 1]
    assert rows[1]["projection"] == _ENTRIES[0].columns["projection"][1].tolist()
    assert rows[2]["status"] == "INVALID_ARGUMENT"
    for name in ("digest", "class_ids", "confidence", "signals", "projection"):
        assert rows[2][name] is None


def test_each_answer_is_counted_once_also_if_it_is_not_written_down(tmp_path):
    counts = write_segment(tmp_path, _ENTRIES).counts()
    first, second = 1_800_000_000, 1_800_000_060
    assert counts.requests == {
        CountKey(first, "REST", "m", 3, "OK"): 1,
        CountKey(first, "GRPC", "m", 0, "INVALID_ARGUMENT"): 1,
        CountKey(second, "REST", "m", 3, "OK"): 1,
        CountKey(second, "GRPC", "m", 3, "OK"): 1,
    }
    assert counts.images[CountKey(second, "REST", "m", 3, "OK")] == 4
    assert counts.dropped == {second: 6}


def test_reading_goes_on_at_a_row(tmp_path):
    segment = write_segment(tmp_path, _ENTRIES)
    whole = _table(segment)
    for first in range(7):
        assert _table(segment, first).to_pylist() == whole.slice(first).to_pylist()
    parquet = write_log_file(tmp_path, _ENTRIES)
    assert _table(parquet, 2).to_pylist() == whole.slice(2).to_pylist()


def test_a_segment_grows_while_it_is_read(tmp_path):
    file = LogFile(tmp_path, "1" * 16 + "-00000000")
    writer = SegmentWriter(file.segment, 2**16)
    assert _table(file).num_rows == 0
    writer.append(encode(answered(0)))
    assert _table(file).num_rows == 1
    writer.append(encode(answered(1)))
    assert _table(file, 1)["request_id"].to_pylist() == ["request-1"]
    writer.close()


def test_what_does_not_fit_is_not_half_there(tmp_path):
    writer = SegmentWriter(tmp_path / "s", 4096)
    taken = sum(writer.append(bytes([n]) * 100) for n in range(1, 100))
    assert 0 < taken < 99
    assert list(read_segment(tmp_path / "s")) == [bytes([n]) * 100 for n in range(1, taken + 1)]


def test_an_empty_segment_leaves_no_file(tmp_path):
    SegmentWriter(tmp_path / "s", 4096).close()
    assert not list(tmp_path.iterdir())


def test_no_room_leaves_no_file(tmp_path):
    with pytest.raises(OSError, match=r"No space|too large"):
        SegmentWriter(tmp_path / "s", 2**62)
    assert not list(tmp_path.iterdir())


def test_all_that_was_appended_outlives_a_kill(tmp_path):
    script = """
import itertools, sys
from pathlib import Path
from models.observation.segment import SegmentWriter
writer = SegmentWriter(Path(sys.argv[1]), 2**24)
for number in itertools.count():
    writer.append(b"%d" % number * 50)
    if number % 100 == 0:
        print(number, flush=True)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(20)][-1]
        os.kill(process.pid, signal.SIGKILL)
    found = list(read_segment(tmp_path / "s"))
    assert len(found) > said
    assert found == [b"%d" % number * 50 for number in range(len(found))]


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_a_damaged_segment_costs_only_itself_from_there_on(tmp_path, damage):
    file = write_segment(tmp_path, [answered(n) for n in range(10)])
    content = bytearray(file.segment.read_bytes())
    match damage:
        case "cut":
            content = content[:1500]
        case "flipped":
            content[1500] ^= 1
        case "foreign":
            content = bytearray(b"\x89PNG" * 100)
        case "empty":
            content = bytearray()
    file.segment.write_bytes(content)
    rows: list[pa.RecordBatch] = []
    with pytest.raises(LogFileError, match=file.name):
        rows.extend(file.batches())
    found = sum(batch.num_rows for batch in rows)
    assert (0 < found < 10) is (damage in ("cut", "flipped"))
    if found:
        assert "damaged" in write_parquet(file)
        assert _table(file).num_rows == found


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty", "other columns"])
def test_a_damaged_parquet_file_is_told(tmp_path, damage):
    file = write_log_file(tmp_path, [answered(n) for n in range(10)])
    content = bytearray(file.parquet.read_bytes())
    match damage:
        case "cut":
            content = content[:-100]
        case "flipped":
            content[len(content) - 50] ^= 255
        case "foreign":
            content = bytearray(b"PAR1" * 100)
        case "empty":
            content = bytearray()
    file.parquet.write_bytes(content)
    if damage == "other columns":
        pq.write_table(pa.table({"a": [1]}), file.parquet)
    with pytest.raises(LogFileError, match=file.name):
        list(file.batches())
    with pytest.raises(LogFileError, match=file.name):
        file.counts()


def test_other_files_in_the_folder_are_passed_over(tmp_path: Path):
    first = write_segment(tmp_path, [answered(0)])
    second = write_log_file(tmp_path, [answered(1)])
    write_parquet(first)  # and killed before it was deleted
    for name in ("a.parquet", "0000.segment", "1.tmp", "1" * 16 + "-00000000.unfinished"):
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(LogFile(tmp_path, "1" * 16 + "-00000001").parquet)
    LogFile(tmp_path, "1" * 16 + "-00000002").segment.mkdir()
    assert log_files(tmp_path) == (first, second)


def test_a_file_that_is_gone_has_nothing(tmp_path):
    file = LogFile(tmp_path, "1" * 16 + "-00000000")
    assert list(file.batches()) == []
    assert not file.counts().requests
