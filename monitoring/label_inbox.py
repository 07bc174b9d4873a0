"""Labels that came, and digests that were picked for labelling: files that the monitor takes in."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from models.errors import BadDataError
from models.storage.atomic_write import write_atomically
from monitoring.accuracy.label_files import Key

_LABELS: Final = "labels"
_DIGITS: Final = 6
_SHOWN: Final = 12
_NAMES: Final = "[0-9]" * _DIGITS + "*.json"
_CHOSEN: Final = "suggested.json"


class LabelInbox:
    """Below the monitor's folder."""

    def __init__(self, folder: Path) -> None:
        """Takes the monitor's folder."""
        self._labels, self._chosen = folder / _LABELS, folder / _CHOSEN

    def put(self, labels: Mapping[Key, str]) -> None:
        """Leaves labels for the monitor, if they say anything that those left before do not.

        Raises:
            OSError: they cannot be written.
        """
        files = self._files()
        if self._newest(files).items() >= labels.items():
            return
        content = json.dumps(sorted([*key, name] for key, name in labels.items())).encode()
        number = 1 + int(files[-1].name[:_DIGITS]) if files else 0
        # Its digest is in the name, as another command may put labels at the same moment.
        digest = hashlib.sha256(content).hexdigest()[:_SHOWN]
        write_atomically(self._labels / f"{number:0{_DIGITS}d}-{digest}.json", content)

    def names(self) -> list[str]:
        """Names of the files of labels, in the order in which they came."""
        return [file.name for file in self._files()]

    def take(self, name: str) -> dict[Key, str]:
        """The labels of one file.

        Raises:
            BadDataError: it is damaged.
            OSError: it cannot be read.
        """
        content = (self._labels / name).read_bytes()
        try:
            return {(key, row): label for key, row, label in json.loads(content)}
        except (ValueError, TypeError) as error:
            raise BadDataError(
                f"It is damaged ({error}). Give its labels to `graft labels` again, and delete it."
            ) from None

    def _newest(self, files: Iterable[Path]) -> dict[Key, str]:
        """What is said of each image last."""
        newest: dict[Key, str] = {}
        for file in files:
            with suppress(BadDataError):
                newest |= self.take(file.name)
        return newest

    def _files(self) -> list[Path]:
        return sorted(self._labels.glob(_NAMES))

    def note_chosen(self, digests: Iterable[str]) -> None:
        """Notes images that were picked to be labelled.

        Raises:
            OSError: it cannot be written.
        """
        content = json.dumps(sorted({*self.chosen(), *digests}))
        write_atomically(self._chosen, content.encode())

    def chosen(self) -> frozenset[str]:
        """Digests of all images that were ever picked."""
        try:
            return frozenset(json.loads(self._chosen.read_bytes()))
        except (OSError, ValueError):
            return frozenset()
