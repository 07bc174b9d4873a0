"""One answer of a server as bytes, and many of them as the columns of the log."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from models.observation.request_record import RECORD
from models.observation.signal_names import IMAGE_SIGNALS

DIGEST_BYTES: Final = 32
_DTYPES: Final[dict[str, Any]] = {
    "digest": np.uint8,
    "class_ids": np.int32,
    "probabilities": np.float32,
    "confidence": np.float32,
    "entropy": np.float32,
    "signals": np.float32,
    "projection": np.float16,
}
"""What may be known of an image, in the order in which it lies in an entry."""
_WIDTHS: Final = {"digest": DIGEST_BYTES, "signals": len(IMAGE_SIGNALS)}
_MICROSECOND: Final = 1e-6
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What a server answered to one request, or that it failed.

    Attributes:
        time: seconds since 1970 at which the answer was there.
        request_id: as the client gave it, or made up.
        protocol: REST or GRPC.
        model: name in the API.
        version: that answered; 0 where none did.
        asked_label: version label that was asked for; empty for none.
        status: name of a gRPC status.
        latency_ms: milliseconds from the request to its answer.
        images: images of the request.
        weight: how many requests of its kind this one stands for; 0 where it is counted only.
        first_row: place in the request of the first image of `columns`; -1 where it failed.
        columns: of the images, by the names of the log: `digest` uint8 [n, 32], `class_ids` int32
            and `probabilities` float32 [n, t], `confidence` and `entropy` float32 [n], `signals`
            float32 [n, 5], `projection` float16 [n, c]. What the model does not say is left out.
        dropped: entries before this one that could not be written.
    """

    time: float
    request_id: str = ""
    protocol: str = "REST"
    model: str = ""
    version: int = 0
    asked_label: str = ""
    status: str = "OK"
    latency_ms: float = 0.0
    images: int = 0
    weight: float = 0.0
    first_row: int = -1
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    dropped: int = 0

    @property
    def rows(self) -> int:
        """Rows of the log that it becomes."""
        if self.weight == 0.0:
            return 0
        return len(next(iter(self.columns.values()))) if self.columns else 1

    @property
    def is_counted(self) -> bool:
        """Whether it is the first or only entry of its request."""
        return self.first_row <= 0 and bool(self.status)


_KINDS: Final = (float, str, str, str, int, str, str, float, int, float, int)
_HEADS: Final = tuple(field.name for field in fields(Entry))[: len(_KINDS)]
"""What an entry begins with."""


def encode(entry: Entry) -> bytes:
    """Writes an entry; `decode` reads it."""
    arrays = {name: entry.columns[name] for name in _DTYPES if name in entry.columns}
    head = orjson.dumps(
        [
            *(getattr(entry, name) for name in _HEADS),
            entry.dropped,
            {name: array.shape for name, array in arrays.items()},
        ]
    )
    parts = [np.ascontiguousarray(array, _DTYPES[name]) for name, array in arrays.items()]
    return b"\n".join([head, b"".join(part.tobytes() for part in parts)])


def decode(content: bytes) -> Entry:
    """Reads what `encode` wrote.

    Raises:
        ValueError: it is something else.
    """
    head, _, body = content.partition(b"\n")
    try:
        *known, dropped, shapes = orjson.loads(head)
        columns: dict[str, NDArray[Any]] = {}
        begin = 0
        for name, shape in shapes.items():
            columns[name] = _array(body, begin, name, shape)
            begin += columns[name].nbytes
        heads = dict(zip(_HEADS, known, strict=True))
        entry = Entry(**heads, columns=columns, dropped=dropped)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"it is no entry of a request log ({error})") from error
    _require_sound(entry)
    return entry


def _array(body: bytes, begin: int, name: str, shape: Sequence[int]) -> NDArray[Any]:
    return np.frombuffer(body, _DTYPES[name], math.prod(shape), begin).reshape(shape)


def _require_sound(entry: Entry) -> None:
    values = [getattr(entry, name) for name in _HEADS]
    wrong = [value for value, kind in zip(values, _KINDS, strict=True) if type(value) is not kind]
    lengths = {len(array) for array in entry.columns.values()}
    widths = [entry.columns[n].shape[1:] == (w,) for n, w in _WIDTHS.items() if n in entry.columns]
    if wrong or len(lengths) > 1 or not all(widths) or type(entry.dropped) is not int:
        raise ValueError("it is no entry of a request log")


class CountKey(NamedTuple):
    """What answers are counted by.

    Attributes:
        minute: seconds since 1970 at which it began.
        protocol: REST or GRPC.
        model: name in the API.
        version: that answered, 0 for none.
        status: name of a gRPC status.
    """

    minute: int
    protocol: str
    model: str
    version: int
    status: str


@dataclass(slots=True)
class Counts:
    """Answers, written down in full or not.

    Attributes:
        requests: by what they are counted by.
        images: likewise.
        dropped: by minute, entries that could not be written.
    """

    requests: Counter[CountKey] = field(default_factory=Counter)
    images: Counter[CountKey] = field(default_factory=Counter)
    dropped: Counter[int] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Counts one entry."""
        minute = int(entry.time // _MINUTE * _MINUTE)
        if entry.dropped:
            self.dropped[minute] += entry.dropped
        if entry.is_counted:
            key = CountKey(minute, entry.protocol, entry.model, entry.version, entry.status)
            self.requests[key] += 1
            self.images[key] += entry.images

    def update(self, other: "Counts") -> None:
        """Adds what another file counted."""
        self.requests.update(other.requests)
        self.images.update(other.images)
        self.dropped.update(other.dropped)

    def to_json(self) -> bytes:
        """For the metadata of a file."""
        rows = [[*key, count, self.images[key]] for key, count in self.requests.items()]
        return orjson.dumps({"counts": rows, "dropped": list(self.dropped.items())})

    @classmethod
    def from_json(cls, text: bytes) -> "Counts":
        """Reads what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        counts = cls()
        try:
            content = orjson.loads(text)
            for minute, protocol, model, version, status, requests, images in content["counts"]:
                key = CountKey(int(minute), str(protocol), str(model), int(version), str(status))
                counts.requests[key] += int(requests)
                counts.images[key] += int(images)
            for minute, dropped in content["dropped"]:
                counts.dropped[int(minute)] += int(dropped)
        except (TypeError, KeyError) as error:
            raise ValueError(f"these are no counts of a request log ({error})") from error
        return counts


def table_of(entries: Iterable[Entry]) -> pa.Table:
    """The rows of entries, columns as in `RECORD`, in the order of the entries."""
    kept = [entry for entry in entries if entry.rows]
    counts = np.array([entry.rows for entry in kept], np.int64)
    columns: dict[str, pa.Array] = {
        "time": _repeated([round(entry.time / _MICROSECOND) for entry in kept], counts, np.int64),
        "row": _row_numbers(kept),
        "version": _repeated([entry.version for entry in kept], counts, np.int64),
        "latency_ms": _repeated([entry.latency_ms for entry in kept], counts, np.float32),
        "weight": _repeated([entry.weight for entry in kept], counts, np.float32),
    }
    for name in ("request_id", "protocol", "model", "asked_label", "status"):
        texts = _texts([getattr(entry, name) for entry in kept])
        columns[name] = texts.take(_numbers(np.repeat(np.arange(len(kept)), counts)))
    for name in _DTYPES:
        columns[name] = _image_column(name, kept)
    arrays = [_as_field(columns[field.name], field) for field in RECORD]
    return pa.Table.from_arrays(arrays, schema=RECORD)


def _as_field(array: pa.Array, wanted: pa.Field) -> pa.Array:
    if pa.types.is_dictionary(wanted.type):
        encoded = array.dictionary_encode()
        indices = encoded.indices.cast(wanted.type.index_type)
        return pa.DictionaryArray.from_arrays(indices, encoded.dictionary)
    return array.cast(wanted.type)


def _numbers(array: NDArray[Any]) -> pa.Array:
    """The same numbers as Arrow has them; `pa.array` would import pandas, which takes seconds."""
    kind = pa.from_numpy_dtype(array.dtype)
    return pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(array)])


def _texts(texts: Sequence[str | None]) -> pa.Array:
    encoded = [(text or "").encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    valid = np.packbits(np.array([text is not None for text in texts], bool), bitorder="little")
    buffers = [pa.py_buffer(part) for part in (valid, ends, b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def _repeated(values: Sequence[float], counts: NDArray[np.int64], dtype: Any) -> pa.Array:
    return _numbers(np.repeat(np.array(values, dtype), counts))


def _row_numbers(entries: Sequence[Entry]) -> pa.Array:
    numbers = [entry.first_row + np.arange(entry.rows, dtype=np.int32) for entry in entries]
    return _numbers(np.concatenate([np.empty(0, np.int32), *numbers]))


def _image_column(name: str, entries: Sequence[Entry]) -> pa.Array:
    """One column of the images; null in the rows of entries that lack it."""
    arrays = [entry.columns.get(name) for entry in entries]
    is_null = np.repeat(
        np.array([array is None for array in arrays], bool),
        np.array([entry.rows for entry in entries], np.int64),
    )
    values = [array for array in arrays if array is not None]
    if name == "digest":
        texts = iter(array.tobytes().hex() for array in values)
        return _texts([text for entry in entries for text in _digests(entry, texts)])
    flat = np.concatenate([np.empty(0, _DTYPES[name]), *(array.ravel() for array in values)])
    widths = np.zeros(len(is_null), np.int32)
    widths[~is_null] = np.concatenate(
        [np.empty(0, np.int32), *(np.full(len(a), a[:1].size, np.int32) for a in values)]
    )
    valid = pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    if RECORD.field(name).type == pa.float32():
        whole = np.zeros(len(is_null), np.float32)
        whole[~is_null] = flat
        return pa.Array.from_buffers(pa.float32(), len(whole), [valid, pa.py_buffer(whole)])
    ends = np.concatenate([np.zeros(1, np.int32), np.cumsum(widths, dtype=np.int32)])
    kind = pa.list_(RECORD.field(name).type.value_type)
    buffers = [valid, pa.py_buffer(ends)]
    return pa.Array.from_buffers(kind, len(widths), buffers, children=[_numbers(flat)])


def _digests(entry: Entry, texts: "Iterable[str]") -> list[str | None]:
    if "digest" not in entry.columns:
        return [None] * entry.rows
    text, width = next(iter(texts)), 2 * DIGEST_BYTES
    return [text[begin : begin + width] for begin in range(0, len(text), width)]
