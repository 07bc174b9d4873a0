"""`graft knowledge import` and `export`."""

from pathlib import Path

from models.errors import GraftError, UsageError
from models.history.collection import collect, printable
from models.history.imports.import_histories import KINDS
from models.history.share import copy_history
from models.storage.locations import is_remote
from models.wording import counted
from pipeline.config import Config
from pipeline.knowledge.catalogue import catalogue, known
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
            copy_history(entry, place)
    except GraftError as error:
        raise UsageError(f"The histories cannot be exported: {_shown(error)}") from None
    print(f"Exported {counted(len(entries), 'history', 'histories')} to {place}")
    return 0


def import_from(config: Config, source: str) -> int:
    """Copies the histories of a file, a folder or a bucket into the workspace.

    Runs need not be waited for: one that goes on at the same time has looked around already.
    Copies of what comes with Graft are left out where searches learn from that anyway.

    Raises:
        UsageError: there is none that can be read, or the workspace cannot be written.
    """
    place = source if is_remote(source) else str(Path(source).absolute())
    found = collect([("", place)])
    if not found.entries:
        reasons = "".join(f"\n  {each.reason}" for each in found.skipped)
        raise UsageError(
            f"There is no history to import in {source}.{reasons}\nRead are histories of Graft "
            "and what other tuners left; where the content does not show whose it is, say so with "
            f"--kind ({', '.join(KINDS)})."
        )
    for each in found.skipped:
        print(f"Left out {each.name}: {each.reason}")
    starter = known(config)
    for entry in found.entries:
        if entry.digest in starter:
            print(f"Left out {entry.name}: it comes with Graft, and searches know it already")
    new = [entry for entry in found.entries if entry.digest not in starter]
    if not new:
        print(f"There is nothing new in {source}.")
        return 0
    folder = str(Workspace.of(config).knowledge)
    try:
        for entry in new:
            copy_history(entry, folder)
    except GraftError as error:
        raise UsageError(f"The histories cannot be imported: {_shown(error)}") from None
    print(f"Imported {counted(len(new), 'history', 'histories')} into {folder}")
    return 0


def _shown(error: GraftError) -> str:
    """A message that may hold file names of anybody's choice."""
    return printable(str(error), 1000)
