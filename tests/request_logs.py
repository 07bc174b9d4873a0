"""Request logs as a server writes them, for the tests of the log and of what reads it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from models.observation.log_entry import Entry, encode
from models.observation.request_log_files import LogFile, new_name, write_parquet
from models.observation.segment import SegmentWriter

COMPONENTS = 4


def answered(number: int, images: int = 1, **changed: Any) -> Entry:
    """An answer to `images` images that no other number has."""
    rng = np.random.default_rng(number)
    columns = {
        "digest": rng.integers(0, 256, (images, 32), np.uint8),
        "class_ids": np.tile(np.array([2, 0, 1], np.int32), (images, 1)),
        "probabilities": np.tile(np.array([0.7, 0.2, 0.1], np.float32), (images, 1)),
        "confidence": rng.random(images, np.float32),
        "entropy": rng.random(images, np.float32),
        "signals": rng.random((images, 5), np.float32),
        "projection": rng.random((images, COMPONENTS)).astype(np.float16),
    }
    known: dict[str, Any] = {
        "time": 1.8e9 + number,
        "request_id": f"request-{number}",
        "model": "m",
        "version": 3,
        "latency_ms": 1.5,
        "images": images,
        "weight": 1.0,
        "first_row": 0,
        "columns": columns,
    }
    return Entry(**(known | changed))


def failed(number: int, status: str = "INVALID_ARGUMENT") -> Entry:
    return Entry(1.8e9 + number, f"request-{number}", "GRPC", "m", status=status, weight=1.0)


def write_segment(folder: Path, entries: Iterable[Entry]) -> LogFile:
    """A finished segment."""
    folder.mkdir(parents=True, exist_ok=True)
    file = LogFile(folder, new_name())
    writer = SegmentWriter(file.segment, 2**20)
    for entry in entries:
        assert writer.append(encode(entry))
    writer.close()
    return file


def write_log_file(folder: Path, entries: Iterable[Entry]) -> LogFile:
    """A Parquet file of the log."""
    file = write_segment(folder, entries)
    write_parquet(file)
    file.segment.unlink()
    return file
