"""Tests of reading a log on."""

import errno

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from request_logs import COMPONENTS, answered, failed, write_log_file, write_segment

from models.errors import UsageError
from models.observation.log_entry import CountKey, encode
from models.observation.request_log_files import LogFile, write_parquet
from models.observation.request_record import RECORD
from models.observation.segment import SegmentWriter
from monitoring.log_reader import LogReader, ModelVersion, request_counts
from monitoring.seen_digests import SeenDigests

_M3 = ModelVersion("m", 3)


def _ids(reader):
    found = [each for step in reader.read_on() for each in step]
    return [(each.version, *each.observations.request_ids.tolist()) for each in found]


def test_rows_come_as_arrays(tmp_path):
    entry = answered(7, images=3)
    write_log_file(tmp_path, [entry, failed(8)])
    [[(version, found)]] = LogReader(tmp_path).read_on()
    assert version == _M3
    assert found.times.tolist() == [1.8e9 + 7] * 3
    assert found.rows.tolist() == [0, 1, 2]
    assert found.digests.tolist() == [d.tobytes().hex() for d in entry.columns["digest"]]
    assert found.class_ids.tolist() == [2, 2, 2]
    assert found.top_ids.tolist() == [[2, 0, 1, -1, -1]] * 3
    assert found.top_probabilities[0, 3:].tolist() == [0, 0]
    for name in ("confidences", "entropies", "signals", "projections"):
        column = {"confidences": "confidence", "entropies": "entropy", "projections": "projection"}
        expected = entry.columns[column.get(name, name)]
        np.testing.assert_array_equal(getattr(found, name), expected)
        assert getattr(found, name).dtype == expected.dtype
    assert found.weights.tolist() == [1.0] * 3


def test_each_row_comes_once_though_its_file_grows_and_becomes_another(tmp_path):
    reader = LogReader(tmp_path)
    file = LogFile(tmp_path, "1" * 16 + "-00000000")
    writer = SegmentWriter(file.segment, 2**16)
    assert _ids(reader) == []
    writer.append(encode(answered(0)))
    assert _ids(reader) == [(_M3, "request-0")]
    writer.append(encode(answered(1)))
    reader = LogReader(tmp_path, reader.state())
    assert _ids(reader) == [(_M3, "request-1")]
    writer.append(encode(answered(2)))
    writer.close()
    write_parquet(file)
    file.segment.unlink()
    assert _ids(reader) == [(_M3, "request-2")]
    assert _ids(LogReader(tmp_path, reader.state())) == []


def test_a_state_taken_between_two_steps_tells_what_was_handed_out(tmp_path):
    for number in range(3):
        write_log_file(tmp_path, [answered(number)])
    reader = LogReader(tmp_path)
    steps = reader.read_on()
    next(steps)
    state = reader.state()
    assert _ids(LogReader(tmp_path, state)) == [(_M3, "request-1"), (_M3, "request-2")]


def test_an_image_counts_once_for_each_version(tmp_path):
    image = answered(0).columns
    again = answered(1, columns=image)
    other = answered(2, columns=image, version=4)
    write_log_file(tmp_path, [answered(0), again, other, answered(3)])
    write_log_file(tmp_path, [answered(4, columns=image)])
    reader = LogReader(tmp_path)
    assert _ids(reader) == [(_M3, "request-0", "request-3"), (ModelVersion("m", 4), "request-2")]


def test_images_that_come_again_are_counted_by_minute_also_after_a_restart(tmp_path):
    reader = LogReader(tmp_path)
    write_log_file(tmp_path, [answered(7, images=3), answered(7, images=3)])
    assert [len(each.observations) for step in reader.read_on() for each in step] == [3]
    minute = int(1.8e9 + 7) // 60 * 60
    assert reader.again(_M3) == {minute: 3}
    assert reader.again(ModelVersion("m", 4)) == {}
    reader = LogReader(tmp_path, reader.state())
    write_log_file(tmp_path, [answered(7, images=3)])
    assert _ids(reader) == []
    assert reader.again(_M3) == {minute: 6}


def test_what_comes_again_is_counted_after_a_clock_was_ahead_too(tmp_path):
    image = answered(0).columns
    reader = LogReader(tmp_path)
    year = 365 * 86_400
    write_log_file(tmp_path, [answered(year, columns=image), answered(year, columns=image)])
    assert len(_ids(reader)) == 1
    write_log_file(tmp_path, [answered(0, columns=image)])
    assert _ids(reader) == []
    assert reader.again(_M3) == {1_800_000_000: 1, 1_800_000_000 + year: 1}


def test_answers_without_an_embedding_are_counted_alone(tmp_path):
    bare = {name: answered(0).columns[name] for name in ("digest", "class_ids", "probabilities")}
    write_log_file(tmp_path, [answered(0, columns=bare), failed(1)])
    assert _ids(LogReader(tmp_path)) == []
    assert request_counts(tmp_path).requests == {
        CountKey(1_800_000_000, "REST", "m", 3, "OK"): 1,
        CountKey(1_800_000_000, "GRPC", "m", 0, "INVALID_ARGUMENT"): 1,
    }


def test_hostile_rows_are_passed_over(tmp_path):
    file = write_log_file(tmp_path, [answered(n) for n in range(9)])
    rows = pa.Table.from_batches(file.batches()).to_pylist()
    rows[0]["digest"] = "<script>"
    rows[1]["signals"] = [1.0]
    rows[2]["confidence"] = float("nan")
    rows[3]["class_ids"] = []
    rows[4]["class_ids"] = [1]
    rows[5]["projection"] = [np.float16("inf")] * COMPONENTS
    rows[6]["class_ids"] = [-7, 0, 1]
    rows[7]["projection"] = rows[7]["projection"][:2]
    pq.write_table(pa.Table.from_pylist(rows, RECORD), file.parquet)
    found = [each for step in LogReader(tmp_path).read_on() for each in step]
    assert [each.observations.request_ids.tolist() for each in found] == [
        ["request-7"], ["request-8"]
    ]  # fmt: skip
    assert [each.observations.projections.shape[1] for each in found] == [2, COMPONENTS]


def test_damaged_files_cost_only_themselves(tmp_path):
    good = write_log_file(tmp_path, [answered(0)])
    bad = write_log_file(tmp_path, [answered(1)])
    bad.parquet.write_bytes(b"PAR1 and nothing of it")
    cut = write_segment(tmp_path, [answered(n) for n in range(2, 8)])
    cut.segment.write_bytes(cut.segment.read_bytes()[:1200])
    last = write_log_file(tmp_path, [answered(9)])
    reader = LogReader(tmp_path)
    found = _ids(reader)
    assert [each[1] for each in found] == ["request-0", "request-2", "request-9"]
    assert set(reader.faults) == {bad.name, cut.name}
    assert good.name < bad.name < cut.name < last.name
    bad.parquet.unlink()
    assert _ids(reader) == []
    assert set(reader.faults) == {cut.name}
    assert sum(request_counts(tmp_path).requests.values()) >= 2


def test_a_file_that_cannot_be_read_now_is_read_later(tmp_path, monkeypatch):
    file = write_log_file(tmp_path, [answered(n) for n in range(3)])
    reader = LogReader(tmp_path)

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(pq, "ParquetFile", refused)
        assert _ids(reader) == []
        assert reader.faults == {file.name: f"{file.parquet}: Permission denied"}
        reader = LogReader(tmp_path, reader.state())
    ((_, *read),) = _ids(reader)
    assert read == ["request-0", "request-1", "request-2"]
    assert reader.faults == {}


def test_no_folder_is_told(tmp_path):
    with pytest.raises(UsageError, match="graft serve"):
        list(LogReader(tmp_path / "none").read_on())


def test_it_does_not_matter_how_many_images_are_noted_at_a_time():
    rng = np.random.default_rng(0)
    digests = rng.integers(0, 3000, 5000).astype(np.uint64) * np.uint64(2**41 + 2**18)
    whole = SeenDigests()
    expected = whole.first_seen("m/1", digests)
    parts = SeenDigests()
    cuts = np.sort(rng.integers(0, 5000, 40))
    found = [parts.first_seen("m/1", part) for part in np.split(digests, cuts)]
    np.testing.assert_array_equal(np.concatenate(found), expected)
    np.testing.assert_array_equal(parts.table, whole.table)
    assert expected.sum() == len(np.unique(digests)) or expected.sum() > 2000


def test_a_burst_of_one_image_counts_once():
    seen = SeenDigests()
    digests = np.full(1000, 123456789, np.uint64)
    assert seen.first_seen("m/1", digests).sum() == 1
    assert seen.first_seen("m/1", digests).sum() == 0
    assert seen.first_seen("m/2", digests).sum() == 1
