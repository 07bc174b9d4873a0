"""Labels on their way to the answers that they belong to."""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from models.errors import BadDataError
from monitoring.accuracy.label_files import Key
from monitoring.observations import Observations

MOST: Final = 1_000_000
"""Labels that are remembered at most."""


class LabelBook:
    """Each image is counted once, however often its label comes and by whatever name.

    Attributes:
        waiting: labels whose answers were not met yet.
        unknown: names that are no class of the model, and how often each came.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        """Starts empty.

        Args:
            classes: names in the order of the model's outputs.
        """
        self._places = {name: place for place, name in enumerate(classes)}
        self.waiting: dict[Key, str] = {}
        self.unknown: dict[str, int] = {}
        self._counted: set[str] = set()

    def add(self, labels: Mapping[Key, str]) -> None:
        """Takes in labels; a later one for an image takes the place of one that waits.

        Raises:
            BadDataError: there would be too many.
        """
        fresh = {key: name for key, name in labels.items() if key[0] not in self._counted}
        if len(self.waiting) + len(self._counted) + len(fresh) > MOST:
            raise BadDataError(f"More than {MOST:,} labels are remembered; begin a new version.")
        self.waiting.update(fresh)

    def take(self, observed: Observations) -> tuple[Observations, NDArray[np.int32]]:
        """Finds the answers that a label waits for; these labels wait no more.

        Args:
            observed: any answers, in the order of the log.

        Returns:
            Some of them, m, and int32 [m] their right classes; -1 for one that the model has not.
        """
        rows: list[int] = []
        truth: list[int] = []
        names = zip(
            observed.digests.tolist(),
            observed.request_ids.tolist(),
            observed.rows.tolist(),
            strict=True,
        )
        for at, (digest, request, row) in enumerate(names):
            by_request = self.waiting.pop((request, row), None)
            name = self.waiting.pop((digest, -1), by_request)
            if name is not None and digest not in self._counted:
                self._counted.add(digest)
                rows.append(at)
                truth.append(self._place(name))
        return observed[np.array(rows, np.int64)], np.array(truth, np.int32)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, as arrays that NumPy writes without pickling."""
        waiting = sorted((*key, name) for key, name in self.waiting.items())
        text = json.dumps([waiting, sorted(self._counted), sorted(self.unknown.items())])
        return {"text": np.frombuffer(text.encode(), np.uint8)}

    @classmethod
    def from_state(cls, classes: tuple[str, ...], state: Mapping[str, NDArray[Any]]) -> Self:
        """Goes on from a state."""
        book = cls(classes)
        waiting, counted, unknown = json.loads(state["text"].tobytes())
        book.waiting = {(key, row): name for key, row, name in waiting}
        book._counted = set(counted)
        book.unknown = dict(unknown)
        return book

    def _place(self, name: str) -> int:
        if name not in self._places:
            self.unknown[name] = self.unknown.get(name, 0) + 1
        return self._places.get(name, -1)
