"""What a training learns from beside the images with their classes, so that its time can be told.

It decides nothing about a search but what it tells. So it is no input of it, but lies in a file:
one JSON object, with how many there are of each kind.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from models.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class ImagesBeside:
    """How many there are.

    Attributes:
        unlabelled: without a label (`data.unlabelled`).
        target: of another domain (`data.target`).
        columns: of further labels (`data.further_labels`).
    """

    unlabelled: int = 0
    target: int = 0
    columns: int = 0


NONE_BESIDE: Final = ImagesBeside()


def write_beside(path: Path, beside: ImagesBeside) -> None:
    """Writes them in one step.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    write_atomically(path, json.dumps(asdict(beside)).encode())


def read_beside(path: Path) -> ImagesBeside:
    """Reads them; none of any kind where there is no such file, or a damaged one."""
    try:
        found = json.loads(path.read_bytes())
        counts = (found[each.name] for each in fields(ImagesBeside))
        return ImagesBeside(*(max(0, int(count)) for count in counts))
    except (OSError, ValueError, LookupError, TypeError):
        return NONE_BESIDE
