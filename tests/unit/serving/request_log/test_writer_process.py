"""The process that makes Parquet files beside a server."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.observation.log_entry import Entry, encode
from models.observation.request_log_files import PARQUET, SEGMENT, LogFile, new_name
from models.observation.segment import SegmentWriter

ROOT = Path(__file__).parents[4]


def _write(folder: Path) -> str:
    name = new_name()
    segment = SegmentWriter(LogFile(folder, name).segment, 2**16)
    segment.append(encode(Entry(1.8e9, weight=1.0)))
    segment.close()
    return name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_its_work_where_all_processes_of_a_service_are_told_to_end(
    number: signal.Signals, tmp_path: Path
) -> None:
    first = _write(tmp_path)
    writer = subprocess.Popen(
        [sys.executable, "-m", "serving.request_log", tmp_path, "1", str(2**30)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    assert writer.stdin is not None
    deadline = time.monotonic() + 60
    while not (tmp_path / (first + PARQUET)).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    writer.send_signal(number)
    last = _write(tmp_path)
    writer.stdin.close()
    assert writer.wait(60) == 0
    assert {path.name for path in tmp_path.iterdir()} == {first + PARQUET, last + PARQUET}
    assert not (tmp_path / (last + SEGMENT)).exists()
