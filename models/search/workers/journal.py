"""What happened in a search that many machines take part in, so that it can be gone through again.

What an oracle proposes follows from the trials that were running and that had ended by then, in
their order. With one process that order is fixed; here it is kept. The evaluations themselves are
in `models.search.trial_store`.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from models.history.records import Count
from models.history.search_space import Frozen, Text, Value
from models.storage.seals import read_sealed, write_sealed


class Event(Frozen):
    """A trial began or ended.

    Attributes:
        kind: which of both.
        trial: its number.
        values: of the hyperparameters.
        message: why it failed; empty where it did not.
        refused: why its backbone cannot be had; empty where it can.
    """

    kind: Literal["began", "ended"]
    trial: Count
    values: Annotated[dict[str, Value], Field(max_length=1000)]
    message: Text = ""
    refused: Text = ""


_Events = TypeAdapter(list[Event])


class Journal:
    """Events in the order in which the oracle learned of them, kept in a file."""

    def __init__(self, path: Path) -> None:
        """Reads what an earlier process wrote; a file that cannot be read counts for none."""
        self._path = path
        self._events: list[Event] = []
        try:
            self.earlier = _Events.validate_json(read_sealed(path) or b"", strict=True)
        except ValidationError:
            self.earlier = []

    def forget(self) -> None:
        """Has the next process begin anew."""
        self._path.unlink(missing_ok=True)

    def add(self, event: Event) -> None:
        """Notes an event, in one step.

        Nothing is written while events are those of the earlier process, again.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        self._events.append(event)
        if self.earlier[: len(self._events)] != self._events:
            self.earlier = []
            write_sealed(self._path, _Events.dump_json(self._events))
