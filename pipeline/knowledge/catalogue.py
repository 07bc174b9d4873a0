"""What the next run would learn from, as a person sees it."""

from dataclasses import dataclass, replace

from components.past_searches.stored_histories import history_file, stored_histories
from models.errors import UsageError
from models.history.collection import Collection, Entry, collect, read_all
from models.history.shipped import starter_digests, starter_files
from pipeline.config import Config
from pipeline.knowledge.history_places import forgotten, places
from pipeline.metadata_place import FAILURES, open_store, place_of
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Own:
    """What the workspace holds itself, and may prune.

    Attributes:
        runs: histories of its runs, oldest first.
        imported: histories that were imported, oldest first.
    """

    runs: tuple[Entry, ...]
    imported: tuple[Entry, ...]


def catalogue(config: Config) -> Collection:
    """Every history that a new search would learn from, newest first, Graft's own last.

    Raises:
        GraftError: the metadata store, or the list of pruned histories, cannot be read.
    """
    workspace = Workspace.of(config)
    runs, outside = _run_histories(workspace), places(config)
    starter = starter_files() if config.knowledge.starter else []
    own = [("", str(place)) for place in (*runs, *starter)]
    found = collect([("", place) for place in outside], own=own, ignore=forgotten(workspace))
    entries = sorted(found.entries, key=lambda entry: config.knowledge.starter and entry.is_starter)
    return replace(found, entries=tuple(entries))


def known(config: Config) -> frozenset[str]:
    """Digests of the histories that a search knows without copies of them: those in Graft."""
    return starter_digests() if config.knowledge.starter else frozenset()


def find(entries: tuple[Entry, ...], which: str) -> Entry:
    """The history that somebody means.

    Args:
        entries: as the list shows them.
        which: number in the list, name, or beginning of a name.

    Raises:
        UsageError: there is no such history, or more than one begins with that name.
    """
    if which.isdecimal() and 1 <= int(which) <= len(entries):
        return entries[int(which) - 1]
    exact = [entry for entry in entries if entry.name == which]
    matching = exact or [entry for entry in entries if entry.name.startswith(which)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = "; ".join(entry.name for entry in matching[:5])
        raise UsageError(
            f"{len(matching)} histories begin with {which!r}: {names}. Type more of the name."
        )
    raise UsageError(
        f"There is no history {which!r}. `graft knowledge list` shows all {len(entries)}, with "
        "the number and the name that name one."
    )


def own_histories(workspace: Workspace) -> Own:
    """The histories that the workspace holds itself, repeated searches among them.

    Raises:
        GraftError: the metadata store, or the list of pruned histories, cannot be read.
    """
    pruned = set(forgotten(workspace))
    runs, _ = read_all(("", path) for path in _run_histories(workspace))
    imported, _ = read_all([("", workspace.knowledge)] if workspace.knowledge.is_dir() else [])
    return Own(tuple(each for each in runs if each.digest not in pruned), tuple(imported))


def _run_histories(workspace: Workspace) -> list[str]:
    """Files of the histories that ML Metadata knows."""
    place = place_of(workspace)
    if not place.is_there:
        return []
    place.check()
    try:
        stored = stored_histories(open_store(workspace, writes=False))
    except FAILURES as error:
        raise place.unreadable(error) from None
    return [history_file(str(workspace.artifact(artifact.uri))) for artifact in stored]
