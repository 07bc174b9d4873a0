"""Reads a request log from where it was left: each row once, each image of a version once."""

import contextlib
import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.errors import UsageError
from models.observation.log_entry import Counts
from models.observation.request_log_files import LogFile, LogFileError, log_files
from models.observation.signal_names import IMAGE_SIGNALS
from monitoring.newest_minutes import newest_of
from monitoring.observations import Observations
from monitoring.seen_digests import SeenDigests

_ALL: Final = -1
_TOP: Final = 5
_DIGEST: Final = r"^[0-9a-f]{64}$"
_LONGEST_ID: Final = 200
_MINUTE: Final = 60


class ModelVersion(NamedTuple):
    """Who answered.

    Attributes:
        model: name in the API.
        version: its number.
    """

    model: str
    version: int


class Answers(NamedTuple):
    """Images that one version answered; of one model the projections are all of one length."""

    version: ModelVersion
    observations: Observations


class LogReader:
    """Reads on in a log whose files come, grow and go.

    Attributes:
        faults: names of files that could not be read to their end, and why.
    """

    def __init__(self, folder: Path, state: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Begins at the log's beginning, or where another reader was.

        Args:
            folder: of the log.
            state: what `state` of that reader returned.
        """
        self._folder = folder
        self._rows: dict[str, int] = {}
        self.faults: dict[str, str] = {}
        self._again: dict[str, dict[int, int]] = {}
        self._seen = SeenDigests(None if state is None else state["seen"])
        if state is not None:
            self._rows, self.faults, again = json.loads(state["place"].tobytes())
            self._again = {name: {int(at): n for at, n in of.items()} for name, of in again.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """All that a reader needs to go on after what this one has handed out."""
        place = json.dumps([self._rows, self.faults, self._again], sort_keys=True).encode()
        return {"seen": self._seen.table.copy(), "place": np.frombuffer(place, np.uint8)}

    def read_on(self) -> Iterator[list[Answers]]:
        """Hands out what came since the last time, at most 65,536 images at a time.

        Answers without an embedding are passed over; `request_counts` counts them. Between two
        steps `state` tells of all that was handed out.

        Raises:
            UsageError: the folder is missing.
        """
        files = _files(self._folder)
        there = {file.name for file in files}
        self._rows = {name: rows for name, rows in self._rows.items() if name in there}
        self.faults = {name: words for name, words in self.faults.items() if name in there}
        for file in files:
            if self._rows.get(file.name) != _ALL:
                yield from self._read_file(file)

    def again(self, version: ModelVersion) -> dict[int, int]:
        """Answers to images that the version had answered before, as far as the log has them.

        Args:
            version: that answered.

        Returns:
            Beginning of one of the newest 1,440 minutes that have such, seconds since 1970, to
            their number.
        """
        return dict(self._again.get(_name(version), {}))

    def _note_again(self, version: ModelVersion, rows: pa.Table) -> None:
        minutes = _numbers(rows["time"], np.int64) // 1_000_000 // _MINUTE * _MINUTE
        weights = np.nan_to_num(_numbers(rows["weight"], np.float32), posinf=0.0)
        noted = self._again.setdefault(_name(version), {})
        for minute in np.unique(minutes).tolist():
            count = round(float(weights[minutes == minute].sum(dtype=np.float64)))
            noted[minute] = noted.get(minute, 0) + count
        self._again[_name(version)] = newest_of(noted)

    def _read_file(self, file: LogFile) -> Iterator[list[Answers]]:
        is_final = file.parquet.exists()
        self.faults.pop(file.name, None)
        try:
            for batch in file.batches(self._rows.get(file.name, 0)):
                found = list(self._observations(batch))
                self._rows[file.name] = self._rows.get(file.name, 0) + len(batch)
                yield found
        except LogFileError as error:
            self.faults[file.name] = str(error)
            is_final = is_final and not error.may_pass
        if is_final:
            self._rows[file.name] = _ALL

    def _observations(self, batch: pa.RecordBatch) -> Iterator[Answers]:
        table = _answered(batch)
        for each in _versions(table):
            model, version = each
            is_of = pc.and_(pc.equal(table["model"], model), pc.equal(table["version"], version))
            rows = table.filter(is_of)
            digests = _first_bytes(rows["digest"])
            first = self._seen.first_seen(_name(each), digests)
            self._note_again(each, rows.filter(pa.Array.from_buffers(*_mask(~first))))
            rows = rows.filter(pa.Array.from_buffers(*_mask(first)))
            for width in np.unique(_lengths(rows["projection"])).tolist():
                is_wide = pc.equal(pc.list_value_length(rows["projection"]), width)
                found = _arrays(rows.filter(is_wide))
                found = found[_is_finite(found)]
                if len(found):
                    yield Answers(each, found)


def request_counts(folder: Path) -> Counts:
    """Counts all answers that the log tells of, by minute and status; what is damaged is left out.

    Raises:
        UsageError: the folder is missing.
    """
    counts = Counts()
    for file in _files(folder):
        with contextlib.suppress(LogFileError):
            counts.update(file.counts())
    return counts


def _files(folder: Path) -> tuple[LogFile, ...]:
    try:
        return log_files(folder)
    except OSError as error:
        raise UsageError(
            f"The request log {folder} cannot be read: {error.strerror or error}. Name the folder "
            "that the server writes to; `graft serve` writes to `requests` in the workspace."
        ) from error


def _answered(batch: pa.RecordBatch) -> pa.Table:
    """The rows that say all that an observation has."""
    table = pa.Table.from_batches([batch])
    texts = ("model", "status", "protocol", "asked_label")
    for name in texts:
        table = table.set_column(
            table.schema.get_field_index(name), name, table[name].cast(pa.string())
        )
    count = pc.list_value_length(table["class_ids"])
    conditions = [
        pc.equal(table["status"], "OK"),
        pc.greater_equal(table["row"], 0),
        pc.match_substring_regex(table["digest"], _DIGEST),
        pc.is_valid(table["confidence"]),
        pc.is_valid(table["entropy"]),
        pc.equal(pc.list_value_length(table["signals"]), len(IMAGE_SIGNALS)),
        pc.greater(pc.list_value_length(table["projection"]), 0),
        pc.greater(count, 0),
        pc.equal(count, pc.list_value_length(table["probabilities"])),
    ]
    return table.filter(functools.reduce(pc.and_, conditions))


def _name(version: ModelVersion) -> str:
    return f"{version.model}/{version.version}"


def _versions(table: pa.Table) -> list[ModelVersion]:
    found = table.select(["model", "version"]).group_by(["model", "version"]).aggregate([])
    pairs = zip(found["model"].to_pylist(), found["version"].to_pylist(), strict=True)
    return sorted(ModelVersion(model, version) for model, version in pairs)


def _mask(mask: NDArray[np.bool_]) -> tuple[pa.DataType, int, list[pa.Buffer | None]]:
    return pa.bool_(), len(mask), [None, pa.py_buffer(np.packbits(mask, bitorder="little"))]


def _numbers(column: pa.ChunkedArray, dtype: Any) -> NDArray[Any]:
    """A column without nulls; Arrow's own ways import pandas, which takes a second."""
    array, size = column.combine_chunks(), np.dtype(dtype).itemsize
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * size)


def _texts(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column without nulls, object [m]; ten times as fast as `to_pylist`."""
    array = column.combine_chunks()
    _, ends_buffer, content = array.buffers()
    ends = np.frombuffer(ends_buffer, np.int32, len(array) + 1, 4 * array.offset).tolist()
    whole = content.to_pybytes() if content is not None else b""
    texts = np.empty(len(array), object)
    texts[:] = [whole[begin:end].decode() for begin, end in itertools.pairwise(ends)]
    return texts


def _lengths(lists: pa.ChunkedArray) -> NDArray[np.int32]:
    return _numbers(pc.list_value_length(lists), np.int32)


def _first_bytes(digests: pa.ChunkedArray) -> NDArray[np.uint64]:
    """The first 8 bytes of hex digests, uint64 [m]."""
    text = "".join(_texts(pc.utf8_slice_codeunits(digests, 0, 16)).tolist())
    return np.frombuffer(bytes.fromhex(text), np.uint64)


def _arrays(rows: pa.Table) -> Observations:
    m = len(rows)
    lengths = np.minimum(_lengths(rows["class_ids"]), _TOP)
    ids = _padded(rows["class_ids"], lengths, np.int32, -1)
    probabilities = _padded(rows["probabilities"], lengths, np.float32, 0)
    identifiers = pc.utf8_slice_codeunits(rows["request_id"], 0, _LONGEST_ID)
    return Observations(
        times=_numbers(rows["time"], np.int64) / 1e6,
        request_ids=_texts(identifiers),
        rows=_numbers(rows["row"], np.int32),
        digests=_texts(rows["digest"]),
        class_ids=ids[:, 0].copy(),
        top_ids=ids,
        top_probabilities=probabilities,
        confidences=_numbers(rows["confidence"], np.float32),
        entropies=_numbers(rows["entropy"], np.float32),
        signals=_numbers(pc.list_flatten(rows["signals"]), np.float32).reshape(m, -1),
        projections=_numbers(pc.list_flatten(rows["projection"]), np.float16).reshape(m, -1),
        weights=_numbers(rows["weight"], np.float32),
    )


def _padded(
    lists: pa.ChunkedArray, lengths: NDArray[np.int32], dtype: Any, filler: int
) -> NDArray[Any]:
    padded = np.full((len(lengths), _TOP), filler, dtype)
    flat = _numbers(pc.list_flatten(pc.list_slice(lists, 0, _TOP)), dtype)
    padded[np.arange(_TOP) < lengths[:, None]] = flat
    return padded


def _is_finite(found: Observations) -> NDArray[np.bool_]:
    """Rows whose numbers can be reckoned with."""
    sound = (found.top_ids >= -1).all(1) & (found.class_ids >= 0)
    parts = ("top_probabilities", "confidences", "entropies", "signals", "projections", "weights")
    for name in parts:
        values = getattr(found, name).reshape(len(found), -1)
        sound &= np.isfinite(values).all(1)
    return sound
