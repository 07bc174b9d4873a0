"""The newest images, kept as they came."""

import json
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.observations import Observations

Arrays = dict[str, NDArray[Any]]
_TEXTS = ("request_ids", "digests")


class Window:
    """At most so many of the newest images."""

    def __init__(self, most: int, kept: Observations | None = None) -> None:
        """Starts with some images, or with none."""
        self._most = most
        self.images = kept

    def add(self, observed: Observations) -> None:
        """Takes in images; the oldest leave."""
        if not len(observed):
            return
        newest = observed[max(0, len(observed) - self._most) :]
        if self.images is not None:
            newest = joined(self.images, newest)
        self.images = newest[max(0, len(newest) - self._most) :]

    def __len__(self) -> int:
        return 0 if self.images is None else len(self.images)

    def state(self, prefix: str) -> Arrays:
        """Arrays that NumPy writes without pickling."""
        if self.images is None:
            return {}
        kept = {field.name: getattr(self.images, field.name) for field in fields(self.images)}
        return {
            prefix + name: _packed(values) if name in _TEXTS else values
            for name, values in kept.items()
        }

    @classmethod
    def from_state(cls, most: int, state: Arrays, prefix: str) -> "Window":
        """The same window again."""
        kept: dict[str, Any] = {
            name.removeprefix(prefix): values
            for name, values in state.items()
            if name.startswith(prefix)
        }
        if not kept:
            return cls(most)
        for name in _TEXTS:
            kept[name] = np.array(json.loads(kept[name].tobytes()), object)
        return cls(most, Observations(**kept))


def _packed(texts: NDArray[Any]) -> NDArray[np.uint8]:
    """Texts as bytes; NumPy's own texts lose zeros at their ends, and are all as long as one."""
    return np.frombuffer(json.dumps(texts.tolist()).encode(), np.uint8)


def joined(first: Observations, second: Observations) -> Observations:
    """The images of both; one with fewer likeliest classes gets empty ones."""
    width = max(first.top_ids.shape[1], second.top_ids.shape[1])
    parts: dict[str, Any] = {}
    for field in fields(first):
        values = [getattr(each, field.name) for each in (first, second)]
        if field.name.startswith("top_"):
            empty = -1 if field.name == "top_ids" else 0
            values = [
                np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=empty)
                for each in values
            ]
        parts[field.name] = np.concatenate(values)
    return Observations(**parts)
