"""What `graft monitor` takes for a long log: seconds and memory of the command itself.

A workspace gets a version with a full reference and a log of drawn answers, an image each. The
first file of the log is made of a server's entries by the log's own writer; the others hold as many
answers in another order, with times, request ids and digests of their own. One part of the log, at
its end, is of images that are darker, so that an alarm is part of what is measured. The command
runs in a process of its own, from no memory to its exit code.

    ./dev bench monitoring/scale --requests 1000000 10000000
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import entr, softmax

from models.observation.log_entry import CountKey, Counts, Entry, encode
from models.observation.reference import (
    MOST_DIRECTIONS,
    REFERENCE,
    Reference,
    StressedAnswers,
    write_reference,
)
from models.observation.reference_size import MOST_IMAGES, MOST_STRESSED
from models.observation.request_log_files import LogFile, new_name, write_parquet
from models.observation.segment import SegmentWriter
from models.observation.signal_names import IMAGE_SIGNALS
from models.observation.stress import as_arrays, stress_plan

_CLASSES: Final = 10
_WIDTH: Final = 1_280
_FILE: Final = 8_192
"""Answers in a file of the log; a server's segment of 4 MiB holds about as many."""
_PER_SECOND: Final = 20
_START: Final = 1.8e9
_DARKER: Final = 0.1
_TOP: Final = 5
_RANDOM: Final = np.random.default_rng(0)
_CENTRES: Final = _RANDOM.normal(size=(_CLASSES, MOST_DIRECTIONS)) / 3


def main() -> None:
    """Prints a row of Markdown for each length."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--darker", type=float, default=0.05, help="share at the end (0.05)")
    options = parser.parse_args()
    print("| requests | log, MB | seconds | CPU seconds | peak MB | exit code |")
    print("|---|---|---|---|---|---|")
    for requests in options.requests:
        with tempfile.TemporaryDirectory(prefix="graft-scale-") as name:
            workspace = Path(name)
            version = workspace / "serving" / "graft" / "1"
            write_reference(version / "assets.extra" / REFERENCE, _reference())
            log = workspace / "requests"
            log.mkdir()
            _write_log(log, requests, options.darker)
            size = sum(path.stat().st_size for path in log.iterdir()) / 1e6
            print(f"| {requests:,} | {size:,.0f} | {_monitored(workspace)} |", flush=True)


def _monitored(workspace: Path) -> str:
    """Cells of one run of the command."""
    command = [sys.executable, "-m", "pipeline.cli", "monitor", "--workspace", str(workspace)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    return f"{seconds:.1f} | {cpu:.1f} | {used.ru_maxrss / 1e3:,.0f} | {code}"


def _drawn(count: int, darker: float = 0.0) -> dict[str, NDArray[Any]]:
    """Answers of a model that is right in some nine of ten cases."""
    labels = _RANDOM.integers(0, _CLASSES, count)
    projections = _CENTRES[labels] + _RANDOM.normal(size=(count, MOST_DIRECTIONS))
    signals = _RANDOM.gamma(20.0, 0.02, (count, len(IMAGE_SIGNALS)))
    signals[:, 0] -= darker
    return {
        "labels": labels.astype(np.int32),
        "projections": projections.astype(np.float16),
        "probabilities": softmax(1.5 * projections @ _CENTRES.T, axis=1),
        "signals": signals.astype(np.float32),
    }


def _reference() -> Reference:
    held_out, training, stressed = (_drawn(n) for n in (MOST_IMAGES, MOST_IMAGES, MOST_STRESSED))
    changes, strengths = as_arrays(stress_plan(map(str, range(MOST_STRESSED))))
    stressed["projections"][np.arange(MOST_STRESSED), changes // 2] += 4.0
    names = tuple(f"{number}.png" for number in range(MOST_IMAGES))
    return Reference(
        classes=tuple(f"class {number}" for number in range(_CLASSES)),
        model_digest="d" * 64,
        temperature=1.0,
        centre=np.zeros(_WIDTH, np.float32),
        directions=np.eye(_WIDTH, MOST_DIRECTIONS, dtype=np.float32),
        anchors=training["projections"],
        anchor_labels=training["labels"],
        projections=held_out["projections"],
        probabilities=held_out["probabilities"].astype(np.float16),
        signals=held_out["signals"],
        labels=held_out["labels"],
        digests=tuple(hashlib.sha256(name.encode()).hexdigest() for name in names),
        names=names,
        stressed=StressedAnswers(
            projections=stressed["projections"],
            probabilities=stressed["probabilities"].astype(np.float16),
            signals=stressed["signals"],
            labels=stressed["labels"],
            changes=changes,
            strengths=strengths,
        ),
    )


def _write_log(log: Path, requests: int, darker: float) -> None:
    usual, dark = (_first_file(log, _drawn(_FILE, by)) for by in (0.0, _DARKER))
    files = max(requests // _FILE, 1)
    for number in range(files):
        is_dark = number >= files - round(files * darker)
        _write_file(log, dark if is_dark else usual, number)


def _first_file(log: Path, drawn: dict[str, NDArray[Any]]) -> pa.Table:
    """What the log's own writer makes of a server's entries; the file itself is deleted."""
    file = LogFile(log, new_name())
    writer = SegmentWriter(file.segment, 2**24)
    for entry in _entries(drawn):
        if not writer.append(encode(entry)):
            raise SystemExit("A segment is too small for one file; raise its size.")
    writer.close()
    write_parquet(file)
    table = pq.read_table(file.parquet)
    file.segment.unlink()
    file.parquet.unlink()
    return table


def _entries(drawn: dict[str, NDArray[Any]]) -> Iterator[Entry]:
    chances = drawn["probabilities"]
    order = np.argsort(-chances, axis=1)[:, :_TOP]
    top = np.take_along_axis(chances, order, axis=1).astype(np.float32)
    entropies = entr(chances).sum(axis=1).astype(np.float32)
    for number in range(len(chances)):
        one = slice(number, number + 1)
        columns = {
            "digest": np.zeros((1, 32), np.uint8),
            "class_ids": order[one].astype(np.int32),
            "probabilities": top[one],
            "confidence": top[one, 0],
            "entropy": entropies[one],
            "signals": drawn["signals"][one],
            "projection": drawn["projections"][one],
        }
        entry = Entry(_START + number / _PER_SECOND, model="graft", version=1, columns=columns)
        yield replace(entry, latency_ms=8.0, images=1, weight=1.0, first_row=0)


def _write_file(log: Path, table: pa.Table, number: int) -> None:
    """One file of answers in an order of their own, to other images, at another time."""
    rows = _RANDOM.permutation(len(table))
    first = number * _FILE
    times = (_START + np.arange(first, first + _FILE) / _PER_SECOND) * 1e6
    texts = {
        "request_id": [f"{_RANDOM.bytes(16).hex()}" for _ in rows],
        "digest": [_RANDOM.bytes(32).hex() for _ in rows],
    }
    columns: dict[str, pa.Array] = {name: pa.array(values) for name, values in texts.items()}
    columns["time"] = pa.array(times.astype(np.int64)).cast(table.schema.field("time").type)
    metadata = table.schema.metadata
    table = table.take(pa.array(rows))
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), column)
    counts = Counts()
    minutes, answers = np.unique(times // 60e6 * 60, return_counts=True)
    for minute, count in zip(minutes.astype(int).tolist(), answers.tolist(), strict=True):
        key = CountKey(minute, "REST", "graft", 1, "OK")
        counts.requests[key] = counts.images[key] = count
    table = table.replace_schema_metadata({**metadata, b"graft.counts": counts.to_json()})
    name = f"{int(times[0]):016d}-{number:08x}"
    pq.write_table(table, LogFile(log, name).parquet, compression="zstd")


if __name__ == "__main__":
    main()
