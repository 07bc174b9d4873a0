"""Streams of `drift.py` as files, for tools that cannot live beside TFX; needs NumPy alone.

`drift.py --export FOLDER` writes the streams. Each tool reads them in an environment of its own and
leaves `NAME.json` in the folder: stream to the images up to its alarm, counted from the shift on.
`drift.py --export FOLDER` then shows it in its tables.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = 50


@dataclass(frozen=True)
class PeerStream:
    """A stream.

    Attributes:
        reference: projections of the reference's images, float32 [n, c].
        images: projections, float32 [m, c].
        reference_classes: classes that the model gave, int [n].
        classes: likewise, int [m].
        change: first image of the shift; m for none.
    """

    reference: NDArray[np.float32]
    images: NDArray[np.float32]
    reference_classes: NDArray[np.integer]
    classes: NDArray[np.integer]
    change: int


def write(folder: Path, key: str, stream: PeerStream) -> None:
    """Writes one stream; the name of the file is its key."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{key.replace('/', '+')}.npz", **vars(stream))


def measure(folder: Path, tools: dict[str, Callable[[PeerStream], int | None]]) -> None:
    """Has tools look at all streams of a folder; what was measured is kept."""
    for name, first_alarm in tools.items():
        path, start = folder / f"{name}.json", time.monotonic()
        found: dict[str, int | None] = json.loads(path.read_text()) if path.exists() else {}
        for key, stream in _streams(folder):
            if key not in found:
                found[key] = first_alarm(stream)
                path.write_text(json.dumps(found))
        print(f"{name}: {len(found)} streams, {time.monotonic() - start:.0f} s", flush=True)


def found_by_tools(folder: Path) -> dict[str, dict[str, int | None]]:
    """What tools left in a folder: stream to tool to alarm."""
    rows: dict[str, dict[str, int | None]] = {}
    for path in sorted(folder.glob("*.json")):
        for key, alarm in json.loads(path.read_text()).items():
            rows.setdefault(key, {})[path.stem] = alarm
    return rows


def first_window(stream: PeerStream, is_alarm: Callable[[PeerStream, slice], Any]) -> int | None:
    """Images up to the end of the first window with an alarm, from the shift on.

    The windows begin exactly at the shift, which favours the tool.
    """
    count = len(stream.images)
    first = stream.change % WINDOW if stream.change < count else 0
    for at in range(first, count - WINDOW + 1, WINDOW):
        if is_alarm(stream, slice(at, at + WINDOW)):
            return at + WINDOW - stream.change
    return None


def _streams(folder: Path) -> Iterator[tuple[str, PeerStream]]:
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            kept = dict(arrays)
        yield path.stem.replace("+", "/"), PeerStream(**(kept | {"change": int(kept["change"])}))
