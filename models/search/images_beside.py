"""Images beside the labelled ones that a training learns from, so that its time can be told.

They decide nothing about a search but what it tells. So they are no input of it, but lie in a file:
one JSON object, with how many images there are of each kind.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from models.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class ImagesBeside:
    """How many there are.

    Attributes:
        unlabelled: without a label (`data.unlabelled`).
        target: of another domain (`data.target`).
    """

    unlabelled: int = 0
    target: int = 0


NONE_BESIDE: Final = ImagesBeside()


def write_beside(path: Path, beside: ImagesBeside) -> None:
    """Writes them in one step.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    write_atomically(path, json.dumps(asdict(beside)).encode())


def read_beside(path: Path) -> ImagesBeside:
    """Reads them; none of either kind where there is no such file, or a damaged one."""
    try:
        found = json.loads(path.read_bytes())
        return ImagesBeside(max(0, int(found["unlabelled"])), max(0, int(found["target"])))
    except (OSError, ValueError, LookupError, TypeError):
        return NONE_BESIDE
