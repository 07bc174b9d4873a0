"""What a worker needs to know of a search, in the search's folder.

`served.json` lies there while the search is served, and no longer; beside it is what all share, of
`models.search.stretch_runner`. The images are read where the run reads them.
"""

from pathlib import Path

from pydantic import ValidationError

from models.errors import UsageError
from models.history.search_space import Frozen, Text
from models.search.search_task import SearchTask
from models.storage.atomic_write import write_atomically

_DESCRIPTION = "served.json"


class ServedSearch(Frozen):
    """How to take part in a search.

    Attributes:
        mark: of the one process that serves; it refuses who comes with another one.
        address: `HOST:PORT` that it serves at.
        code: digest of the training code, which must be the worker's own.
        task: that is searched on.
        is_signed: whether calls are signed with a secret, which the folder does not hold.
    """

    mark: Text
    address: Text
    code: Text
    task: SearchTask
    is_signed: bool = False


def write_served(folder: Path, served: ServedSearch) -> None:
    """Writes the description in one step.

    Args:
        folder: of the search.
        served: how to take part.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    write_atomically(folder / _DESCRIPTION, served.model_dump_json().encode())


def remove_served(folder: Path) -> None:
    """Says that the search is served no longer."""
    (folder / _DESCRIPTION).unlink(missing_ok=True)


def is_served(folder: Path, served: ServedSearch) -> bool:
    """Whether a search is still the one that the folder tells of."""
    try:
        return read_served(folder) == served
    except UsageError:
        return False


def read_served(folder: Path) -> ServedSearch:
    """Reads the description.

    Raises:
        UsageError: no search is served there, or one of another Graft.
    """
    path = folder / _DESCRIPTION
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"No search is served in {folder} ({error.strerror}). Expected the folder that a run "
            "with tuning.serve names when its search begins; it has ended, or has not begun."
        ) from None
    try:
        return ServedSearch.model_validate_json(content, strict=True)
    except ValidationError:
        raise UsageError(
            f"{path} cannot be read: it is damaged, or of another Graft. Workers need the same "
            "Graft as the run."
        ) from None
