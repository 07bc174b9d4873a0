"""`graft knowledge import` and `export`, and what every run shares."""

import re
from pathlib import Path

from models.errors import GraftError, UsageError
from models.files import write_atomically
from models.places import is_remote, join, read_place, write_place
from models.tuning.collection import Entry, collect
from models.tuning.history import MAX_BYTES
from pipeline.config import Config
from pipeline.knowledge.catalogue import catalogue
from pipeline.workspace import Workspace


def export_all(config: Config, target: str) -> int:
    """Copies every history that a new search would learn from to a folder or a bucket.

    All but those that come with Graft: every Graft has them.

    Raises:
        UsageError: there is none, or the target cannot be written.
    """
    entries = [entry for entry in catalogue(config).entries if not entry.is_starter]
    if not entries:
        raise UsageError(f"There is no history to export in {config.workspace}.")
    place = target if is_remote(target) else str(Path(target).absolute())
    try:
        for entry in entries:
            _copy(entry, place)
    except GraftError as error:
        raise UsageError(f"The histories cannot be exported: {error}") from None
    print(f"Exported {_histories(len(entries))} to {place}")
    return 0


def import_from(config: Config, source: str) -> int:
    """Copies the histories of a file, a folder or a bucket into the workspace.

    Raises:
        UsageError: there is none that can be read.
        WorkspaceBusyError: a run holds the workspace.
    """
    found = collect([("", source if is_remote(source) else str(Path(source).absolute()))])
    for each in found.skipped:
        print(f"Left out {each.name}: {each.reason}")
    if not found.entries:
        reason = f" {found.skipped[0].reason}." if found.skipped else ""
        raise UsageError(f"There is no history to import in {source}.{reason}")
    workspace = Workspace(config.workspace_path)
    with workspace.hold(wait=False):
        for entry in found.entries:
            content = read_place(entry.path, MAX_BYTES)
            write_atomically(workspace.knowledge / file_name(entry), content)
    print(f"Imported {_histories(len(found.entries))} into {workspace.knowledge}")
    return 0


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
        _copy(entry, target)


def file_name(entry: Entry) -> str:
    """A name that tells people what a history is, and that no other history has."""
    words = re.sub(r"[^A-Za-z0-9_]+", "-", entry.name).strip("-")
    return f"{words or 'history'}-{entry.digest[:12]}.jsonl"


def _copy(entry: Entry, folder: str) -> None:
    # Written once more where it is there: the name holds the content's digest.
    write_place(join(folder, file_name(entry)), read_place(entry.path, MAX_BYTES))


def _histories(count: int) -> str:
    return "1 history" if count == 1 else f"{count} histories"
