"""The monitor's memory: one file, replaced in one step, with a digest that tells damage.

The same memory makes the same bytes, so that two monitors can be held against each other.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.storage.seals import read_sealed, write_sealed

_TEXT: Final = "text"
_SEPARATOR: Final = "/"


@dataclass(frozen=True)
class State:
    """What is kept from one look to the next.

    Attributes:
        texts: what goes into JSON, by name.
        arrays: by name, none of which is `text`.
    """

    texts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def joined(parts: Mapping[str, Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Puts the arrays of several parts together, each below its name."""
    return {
        f"{part}{_SEPARATOR}{name}": value
        for part, arrays in parts.items()
        for name, value in arrays.items()
    }


def part_of(arrays: Mapping[str, NDArray[Any]], part: str) -> dict[str, NDArray[Any]]:
    """The arrays that `joined` put below a name."""
    beginning = part + _SEPARATOR
    return {
        name.removeprefix(beginning): value
        for name, value in arrays.items()
        if name.startswith(beginning)
    }


def write_state(path: Path, state: State) -> None:
    """Replaces the file.

    Raises:
        OSError: the disk is full or the folder cannot be written; the file is then untouched.
    """
    text = json.dumps(state.texts, sort_keys=True, allow_nan=False).encode()
    arrays: dict[str, Any] = {name: state.arrays[name] for name in sorted(state.arrays)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, text=np.frombuffer(text, np.uint8))
    write_sealed(path, buffer.getvalue())


def read_state(path: Path) -> State | None:
    """Reads the file; None where it is absent or damaged."""
    content = read_sealed(path)
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays.files}
        return State(json.loads(kept.pop(_TEXT).tobytes()), kept)
    except (KeyError, ValueError, zipfile.BadZipFile):  # whole, but of another program
        return None
