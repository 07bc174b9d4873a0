"""Copies a history to where others learn from it."""

from models.errors import GraftError
from models.history.collection import Entry, collect, copy_name
from models.history.tuning_history import MAX_BYTES
from models.storage.locations import join, read_place, write_place
from models.storage.place_error import PlaceError


def share_history(uri: str, target: str) -> None:
    """Copies the history of a run to a folder or bucket.

    Args:
        uri: place of the `history.jsonl`.
        target: folder or bucket.

    Raises:
        GraftError: it cannot be read or written.
    """
    found = collect([("", uri)])
    for each in found.skipped:
        raise GraftError(each.reason)
    for entry in found.entries:
        copy_history(entry, target)


def copy_history(entry: Entry, folder: str) -> None:
    """Copies a history into a folder or bucket, under a name that its content decides.

    Raises:
        GraftError: it cannot be read or written.
    """
    place, content = join(folder, copy_name(entry)), read_place(entry.path, MAX_BYTES)
    if not _is_there(place, content):
        write_place(place, content)


def _is_there(place: str, content: bytes) -> bool:
    """Whether somebody has written a file: what belongs to others may not be written again."""
    try:
        return read_place(place, MAX_BYTES) == content
    except PlaceError:
        return False
