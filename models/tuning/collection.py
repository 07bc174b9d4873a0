"""Reads the histories that lie in a list of folders, buckets and files.

A history may come from anybody. One that is of another version, cut short or hostile is left out
with its reason, and the others are read. What is there twice counts once: the same trials on the
same data, and the same search made again, as copies in several folders and the scheduled runs of a
team bring with them. Of a search that was made again the run with the most trials stays, and of
equals the oldest, so that repeating a search is no news to any other.
"""

import datetime
import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import GraftError
from models.places import PlaceError, files_in, read_place
from models.tuning import shipped
from models.tuning.history import MAX_BYTES, TuningHistory, parse_history
from models.tuning.records import Subject, TaskDescription
from models.tuning.warm.contribution import LeftOut

SUFFIX = ".jsonl"
"""Of the files that are looked for in a folder."""

_MOST_CHARACTERS = 60
"""Of a name."""


@dataclass(frozen=True)
class Entry:
    """One history of the library.

    Attributes:
        name: for people, unique in a collection: "clothing, 2026-11-21".
        path: of the file, or its URI.
        digest: SHA-256 of the file, 64 hex digits.
        history: what it holds; at least one completed trial.
    """

    name: str
    path: str
    digest: str
    history: TuningHistory

    @property
    def subject(self) -> Subject:
        """What was searched."""
        return self.history.header.search.subject

    @property
    def is_starter(self) -> bool:
        """Whether it comes with Graft."""
        return Path(self.path).parent == shipped.FOLDER


@dataclass(frozen=True)
class Collection:
    """What was found in a list of places.

    Attributes:
        entries: newest first.
        skipped: what cannot be read or learned from.
        repeated: copies, and searches made again.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[LeftOut, ...]
    repeated: tuple[LeftOut, ...]


def collect(places: Iterable[tuple[str, Path | str]], *, ignore: Container[str] = ()) -> Collection:
    """Reads every history in a list of places.

    Args:
        places: name and place of each. A place is a file, a folder that is searched for
            `*.jsonl`, or the URI of either in a bucket. The name is for a history whose file does
            not tell one; if empty, the file's own name stands in.
        ignore: digests of files that are passed over without a word.
    """
    found, skipped = read_all(places)
    files: dict[str, Entry] = {}
    for entry in found:
        if entry.digest not in ignore:
            files.setdefault(entry.digest, entry)
    entries, repeated = _each_search_once(list(files.values()))
    return Collection(tuple(reversed(_with_unique_names(entries))), tuple(skipped), tuple(repeated))


def read_all(places: Iterable[tuple[str, Path | str]]) -> tuple[list[Entry], list[LeftOut]]:
    """Reads every file in a list of places, copies and repeated searches among them.

    Args:
        places: as for `collect`.

    Returns:
        The histories, oldest first, and what cannot be read or learned from.
    """
    found: list[Entry] = []
    skipped: list[LeftOut] = []
    for name, place in places:
        try:
            files = files_in(str(place), SUFFIX)
        except PlaceError as error:
            skipped.append(_left_out(name or str(place), error))
            continue
        for path in files:
            entry = _read(name, path)
            if isinstance(entry, LeftOut):
                skipped.append(entry)
            else:
                found.append(entry)
    return sorted(found, key=_age), skipped


def is_same_task(one: TaskDescription, other: TaskDescription) -> bool:
    """Whether two searches saw the same embeddings of the same images in the same split."""
    return _identity(one) == _identity(other)


def _identity(task: TaskDescription) -> tuple[str, str, int, int]:
    return task.data_fingerprint, task.weights_digest, task.image_size, task.dimension


def _read(name: str, path: str) -> Entry | LeftOut:
    try:
        _check_path(path)
        content = read_place(path, MAX_BYTES)
        history = parse_history(content, path)
        _check_completed(path, history)
    except GraftError as error:
        return _left_out(name or Path(path).name, error)
    shown = printable(history.header.name or name or Path(path).stem)
    date = _date(history.header.created)
    return Entry(f"{shown}, {date}", path, hashlib.sha256(content).hexdigest(), history)


def _check_path(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        # Neither JSON nor ML Metadata could hold it.
        raise GraftError(f"{path}: its name is not UTF-8") from None


def _check_completed(path: str, history: TuningHistory) -> None:
    if not history.completed:
        raise GraftError(f"{path}: none of its {len(history.trials)} trials has a score")


def _left_out(name: str, error: GraftError) -> LeftOut:
    return LeftOut(name=printable(name), reason=printable(str(error), 1000))


def printable(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Text of anybody's without what would steer a terminal, cut to `most` characters."""
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _date(created: str) -> str:
    try:
        return datetime.datetime.fromisoformat(created).date().isoformat()
    except ValueError:
        return "undated"


def _age(entry: Entry) -> tuple[str, str]:
    return entry.history.header.created, entry.digest


def _each_search_once(oldest_first: Sequence[Entry]) -> tuple[list[Entry], list[LeftOut]]:
    """Drops copies and repeated searches, telling which history stands for them."""
    keepers: dict[str, Entry] = {}
    kept: set[str] = set()
    repeated: list[LeftOut] = []
    for entry in sorted(oldest_first, key=lambda entry: -len(entry.history.completed)):
        keys = (_search_key(entry.history), _trials_key(entry.history))
        keeper = next((keepers[key] for key in keys if key in keepers), None)
        if keeper is None:
            keepers.update(dict.fromkeys(keys, entry))
            kept.add(entry.digest)
        else:
            reason = printable(f"the same search as {keeper.name} ({keeper.path})", 1000)
            repeated.append(LeftOut(name=entry.name, reason=reason))
    return [entry for entry in oldest_first if entry.digest in kept], repeated


def _search_key(history: TuningHistory) -> str:
    """Equal for histories of the same search: its task, its space and how trials were made."""
    header = history.header
    search = header.search.model_dump(exclude={"algorithm"})
    return json.dumps([_identity(header.task), header.space.model_dump(), search], sort_keys=True)


def _trials_key(history: TuningHistory) -> str:
    """Equal for histories of the same trials on the same data."""
    trials = [[trial.values, trial.score] for trial in history.completed]
    return json.dumps([history.header.task.data_fingerprint, trials], sort_keys=True)


def _with_unique_names(oldest_first: Sequence[Entry]) -> list[Entry]:
    names: dict[str, int] = {}
    unique = []
    for entry in oldest_first:
        names[entry.name] = number = names.get(entry.name, 0) + 1
        name = entry.name if number == 1 else f"{entry.name} ({number})"
        unique.append(Entry(name, entry.path, entry.digest, entry.history))
    return unique
