"""`graft knowledge prune`: forgets histories that are old or many."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from models.errors import GraftError, UsageError
from models.history.collection import Entry, printable
from pipeline.config import Config
from pipeline.knowledge.catalogue import own_histories
from pipeline.knowledge.history_places import forget
from pipeline.workspace import Workspace


def prune(config: Config, *, older_than: int | None, keep: int | None) -> int:
    """Forgets histories of the workspace: those of its runs and those that were imported.

    Imported files are deleted. The history of a run stays where it is, for its report, but no new
    search learns from it. What others own is left alone: the folders and buckets of
    `knowledge.paths`, and what comes with Graft.

    Args:
        config: names the workspace.
        older_than: forgets histories from more than this many days ago.
        keep: forgets all but this many of the newest.

    Raises:
        UsageError: there is no workspace.
        WorkspaceBusyError: a run holds the workspace.
        GraftError: something cannot be read or deleted.
    """
    workspace = Workspace.of(config)
    if not workspace.root.is_dir():
        raise UsageError(f"There is no workspace {workspace.root}. Name one with --workspace.")
    with workspace.hold(wait=False):
        own = own_histories(workspace)
        entries = sorted([*own.runs, *own.imported], key=_created)
        pruned = _old(entries, older_than) | _surplus(entries, keep)
        try:
            for entry in own.imported:
                if entry.digest in pruned:
                    Path(entry.path).unlink(missing_ok=True)
            runs = [entry.digest for entry in own.runs if entry.digest in pruned]
            if runs:
                forget(workspace, runs)
        except OSError as error:
            raise GraftError(printable(f"{error.filename}: {error.strerror}", 1000)) from None
    for entry in entries:
        if entry.digest in pruned:
            print(f"Forgot {entry.name} ({printable(entry.path, 1000)})")
    print(f"{len(pruned)} of {len({entry.digest for entry in entries})} histories were forgotten.")
    return 0


def _created(entry: Entry) -> str:
    return entry.history.header.created


def _old(entries: Sequence[Entry], older_than: int | None) -> set[str]:
    if older_than is None:
        return set()
    now = datetime.datetime.now(datetime.timezone.utc)
    limit = (now - datetime.timedelta(days=older_than)).isoformat(timespec="seconds")
    return {entry.digest for entry in entries if _created(entry) < limit}


def _surplus(oldest_first: Sequence[Entry], keep: int | None) -> set[str]:
    if keep is None:
        return set()
    digests = list(dict.fromkeys(entry.digest for entry in oldest_first))
    return set(digests[: max(len(digests) - keep, 0)])
