"""Labels on their way to the answers that they belong to."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from models.errors import BadDataError
from monitoring.accuracy.label_files import Key
from monitoring.observations import Observations

MOST: Final = 1_000_000
"""Labels that are remembered at most."""
NONE_BEFORE: Final = -2
"""In the place of an earlier label, where there was none."""


@dataclass(frozen=True)
class Labelled:
    """Answers that got a label, or another one, each image once.

    Attributes:
        answers: m of them.
        classes: int32 [m], what the labels say; -1 for a class that the model has not.
        before: int32 [m], what they said until now; `NONE_BEFORE` for an image's first label.
    """

    answers: Observations
    classes: NDArray[np.int32]
    before: NDArray[np.int32]


class LabelBook:
    """Each image counts once, by its newest label, however often one comes and by whatever name.

    Attributes:
        waiting: labels whose answers were not met yet, and when each came.
        unknown: names that are no class of the model, and how often each came.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        """Starts empty.

        Args:
            classes: names in the order of the model's outputs.
        """
        self._places = {name: place for place, name in enumerate(classes)}
        self.waiting: dict[Key, tuple[int, str]] = {}
        self.unknown: dict[str, int] = {}
        self._times = 0
        self._counted: dict[str, int | None] = {}

    def add(self, labels: Mapping[Key, str]) -> None:
        """Takes in labels; a later one for an image takes the place of an earlier one.

        Raises:
            BadDataError: there would be too many.
        """
        self._times += 1
        fresh = {key: name for key, name in labels.items() if not self._is_known(key[0], name)}
        if len(self.waiting) + len(self._counted) + len(fresh) > MOST:
            raise BadDataError(f"More than {MOST:,} labels are remembered; begin a new version.")
        self.waiting.update({key: (self._times, name) for key, name in fresh.items()})

    def take(self, observed: Observations, chosen: Collection[str] = ()) -> Labelled:
        """Finds the answers that a label waits for; these labels wait no more.

        Args:
            observed: any answers, in the order of the log.
            chosen: digests of images that are not to be counted; one that was counted stays so.

        Returns:
            What is to be counted, and what is to be counted otherwise than before.
        """
        found: list[tuple[int, int, int]] = []
        names = zip(
            observed.digests.tolist(),
            observed.request_ids.tolist(),
            observed.rows.tolist(),
            strict=True,
        )
        for at, (digest, request, row) in enumerate(names):
            both = (self.waiting.pop(key, None) for key in ((digest, -1), (request, row)))
            came = [label for label in both if label is not None]
            if not came:
                continue
            _, name = max(came, key=lambda label: label[0])
            place = self._place(name)
            before = self._counted.get(digest, NONE_BEFORE)
            if before == NONE_BEFORE and digest in chosen:
                self._counted[digest] = None
            elif before is not None and before != place:
                self._counted[digest] = place
                found.append((at, place, before))
        rows, classes, earlier = np.array(found, np.int64).reshape(-1, 3).T
        return Labelled(observed[rows], classes.astype(np.int32), earlier.astype(np.int32))

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, as arrays that NumPy writes without pickling."""
        waiting = sorted((*key, *label) for key, label in self.waiting.items())
        known = [waiting, sorted(self._counted.items()), sorted(self.unknown.items()), self._times]
        return {"text": np.frombuffer(json.dumps(known).encode(), np.uint8)}

    @classmethod
    def from_state(cls, classes: tuple[str, ...], state: Mapping[str, NDArray[Any]]) -> Self:
        """Goes on from a state."""
        book = cls(classes)
        waiting, counted, unknown, book._times = json.loads(state["text"].tobytes())
        book.waiting = {(key, row): (time, name) for key, row, time, name in waiting}
        book._counted = dict(counted)
        book.unknown = dict(unknown)
        return book

    def _is_known(self, digest: str, name: str) -> bool:
        if digest not in self._counted:
            return False
        return self._counted[digest] in (None, self._places.get(name, -1))

    def _place(self, name: str) -> int:
        if name not in self._places:
            self.unknown[name] = self.unknown.get(name, 0) + 1
        return self._places.get(name, -1)
