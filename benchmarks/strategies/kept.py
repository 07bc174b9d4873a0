"""What was measured, in a file, so that a run that was broken off goes on."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Kept:
    """Results by name, in a file with a JSON object a line."""

    def __init__(self, file: Path) -> None:
        """Reads what is there."""
        self._file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self._known: dict[str, Mapping[str, Any]] = dict(map(json.loads, lines))

    def __contains__(self, key: str) -> bool:
        """Whether it was measured."""
        return key in self._known

    def get(self, key: str, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """The result of that name, which is measured if there is none."""
        if key not in self._known:
            self._known[key] = dict(measure())
            with self._file.open("a") as file:
                file.write(json.dumps([key, self._known[key]]) + "\n")
            print(f"  {key}", file=sys.stderr, flush=True)
        return self._known[key]
