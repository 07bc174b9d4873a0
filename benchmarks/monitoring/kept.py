"""What was measured, kept after each stream, so that a second call goes on."""

import json
from pathlib import Path
from typing import Any

from models.storage.atomic_write import write_atomically


class Kept:
    """A JSON file of rows.

    Attributes:
        rows: by a key that says what was measured.
    """

    def __init__(self, path: Path) -> None:
        """Reads what there is."""
        self._path = path
        self.rows: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def keep(self, key: str, row: Any) -> None:
        """Adds a row, or replaces it."""
        self.rows[key] = row
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self.rows).encode())
