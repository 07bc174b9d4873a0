"""Where the histories lie that a run may learn from."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from components.example_gen.sources.spans import has_placeholder
from models.errors import GraftError
from models.storage.atomic_write import write_atomically
from models.storage.buckets import Bucket
from models.storage.locations import is_remote
from models.storage.place_error import PlaceError
from pipeline.config import Config
from pipeline.workspace import Workspace

_FORGOTTEN = "forgotten.json"
_Digests = TypeAdapter(list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]])


def data_name(path: str) -> str:
    """What people call the data: its last folder, or its file without the ending.

    Args:
        path: of the data; folders with a placeholder name nothing.
    """
    named = [part for part in Path(path).parts if part != "/" and not has_placeholder(part)]
    return Path(named[-1]).stem if named else ""


def places(config: Config) -> list[str]:
    """Folders and buckets with histories, beside those of the workspace's own runs."""
    imported = Workspace.of(config).knowledge
    own = [str(imported)] if imported.is_dir() else []
    return [
        *own,
        *(place for place in config.knowledge.paths if not _is_yet_to_come(place, config)),
    ]


def _is_yet_to_come(place: str, config: Config) -> bool:
    """Whether a folder is missing because nobody has shared anything in it yet.

    To name it as missing would be of no use, and would make the second run search anew.
    """
    if place != config.knowledge.share:
        return False
    if not is_remote(place):
        return not Path(place).exists()
    try:
        return not Bucket(place).is_there()
    except PlaceError:
        return False  # who reads it says why


def forgotten(workspace: Workspace) -> list[str]:
    """Digests of the histories of runs that no new search learns from.

    Raises:
        GraftError: the list is damaged.
    """
    path = workspace.knowledge / _FORGOTTEN
    try:
        return _Digests.validate_json(path.read_bytes(), strict=True)
    except FileNotFoundError:
        return []
    except (OSError, ValidationError):
        raise GraftError(
            f"{path}, the list of pruned histories, is damaged. Delete it to learn from all of "
            "them again."
        ) from None


def forget(workspace: Workspace, digests: list[str]) -> None:
    """Adds to the list that `forgotten` reads.

    Raises:
        GraftError: the list is damaged.
        OSError: it cannot be written.
    """
    every = sorted({*forgotten(workspace), *digests})
    write_atomically(workspace.knowledge / _FORGOTTEN, json.dumps(every, indent=0).encode())
