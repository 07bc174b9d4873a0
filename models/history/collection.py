"""Reads the histories that lie in a list of folders, buckets and files.

A history may come from anybody. One that is of another version, cut short or hostile is left out
with its reason, and the others are read. What is there twice counts once: the same trials on the
same data, and the same search made again, as copies in several folders and the scheduled runs of a
team bring with them. Of a search that was made again the run with the most trials stays, and of
equals the oldest, so that repeating a search is no news to any other.

A search of one's own is never displaced by one from elsewhere, however many trials that has. Two
from elsewhere that say they are the same search, but gave the same configurations other scores,
cannot both be right: the one in the place that was named first stays, and in the same place
neither does.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from models.errors import GraftError
from models.history import shipped
from models.history.contribution import LeftOut
from models.history.records import Subject, TaskDescription
from models.history.tuning_history import MAX_BYTES, TuningHistory, parse_history
from models.storage.locations import files_in, read_place
from models.storage.place_error import PlaceError

SUFFIX = ".jsonl"
"""Of the files that are looked for in a folder."""

OWN = -1
"""The place of a search of one's own."""

_NAMED = re.compile(r"-([0-9a-f]{12})\.jsonl$")
"""Copies that Graft makes have the beginning of their digest in their names (`copy_name`)."""

_MOST_CHARACTERS = 60
"""Of a name."""

_SAME_SCORE = 0.05
"""How far the scores of two runs of one search may be apart on average: machines, libraries and
the order of sums change them by an image or two."""

_ENOUGH = 3
"""Configurations that both must have tried before they can be said to contradict each other."""


@dataclass(frozen=True)
class Entry:
    """One history of the library.

    Attributes:
        name: for people, unique in a collection: "clothing, 2026-11-21".
        path: of the file, or its URI.
        digest: SHA-256 of the file, 64 hex digits.
        history: what it holds; at least one completed trial.
        place: of the places that were named, the number of the one where it lies; `OWN` for a
            search of one's own.
    """

    name: str
    path: str
    digest: str
    history: TuningHistory
    place: int = 0

    @property
    def subject(self) -> Subject | Literal["other"]:
        """What was searched; "other" where another tuner did it."""
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
        skipped: what cannot be read or learned from, or contradicts another.
        repeated: copies, and searches made again.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[LeftOut, ...]
    repeated: tuple[LeftOut, ...]


_Places = Iterable[tuple[str, Path | str]]


def collect(places: _Places, *, own: _Places = (), ignore: Container[str] = ()) -> Collection:
    """Reads every history in a list of places.

    Args:
        places: name and place of each. A place is a file, a folder that is searched for
            `*.jsonl`, or the URI of either in a bucket. The name is for a history whose file does
            not tell one; if empty, the file's own name stands in.
        own: the same, of searches that no other may displace.
        ignore: digests of files that are passed over without a word.
    """
    ours, damaged = read_all(own)
    others, skipped = read_all(places)
    found = [*(replace(each, place=OWN) for each in ours), *others]
    files: dict[str, Entry] = {}
    for entry in found:
        if entry.digest not in ignore:
            files.setdefault(entry.digest, entry)
    told = _each_search_once(sorted(files.values(), key=_age))
    return Collection(
        tuple(reversed(_with_unique_names(told.kept))),
        (*damaged, *skipped, *told.disputed),
        tuple(told.repeated),
    )


def read_all(places: _Places) -> tuple[list[Entry], list[LeftOut]]:
    """Reads every file in a list of places, copies and repeated searches among them.

    Args:
        places: as for `collect`.

    Returns:
        The histories, oldest first, and what cannot be read or learned from.
    """
    found: list[Entry] = []
    skipped: list[LeftOut] = []
    for number, (name, place) in enumerate(places):
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
                found.append(replace(entry, place=number))
    return sorted(found, key=_age), skipped


def is_same_task(one: TaskDescription, other: TaskDescription) -> bool:
    """Whether two searches saw the same embeddings of the same images in the same split."""
    return _identity(one) == _identity(other)


def copy_name(entry: Entry) -> str:
    """A name that tells people what a history is, and that no other history has."""
    words = re.sub(r"[^A-Za-z0-9_]+", "-", entry.name).strip("-")
    return f"{words or 'history'}-{entry.digest[:12]}{SUFFIX}"


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
    digest = hashlib.sha256(content).hexdigest()
    named = _NAMED.search(path)
    if named and not digest.startswith(named[1]):
        reason = f"{path}: damaged, or changed since its name was given: its digest is another one"
        return _left_out(name or Path(path).name, GraftError(reason))
    shown = printable(history.header.name or name or Path(path).stem)
    date = _date(history.header.created)
    return Entry(f"{shown}, {date}", path, digest, history)


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


@dataclass
class _Once:
    """What is left of a list of histories when each search counts once."""

    kept: list[Entry] = field(default_factory=list)
    repeated: list[LeftOut] = field(default_factory=list)
    disputed: list[LeftOut] = field(default_factory=list)


def _each_search_once(oldest_first: Sequence[Entry]) -> _Once:
    """Drops copies and repeated searches, telling which history stands for them."""
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(oldest_first, key=_precedence):
        keys = (_search_key(entry.history), _trials_key(entry.history))
        group = next((groups[key] for key in keys if key in groups), [])
        group.append(entry)
        groups.update(dict.fromkeys(keys, group))
    told = _Once()
    for group in {id(group): group for group in groups.values()}.values():
        _settle(group, told)
    told.kept.sort(key=_age)
    return told


def _precedence(entry: Entry) -> tuple[bool, int]:
    return entry.place != OWN, -len(entry.history.completed)


def _settle(group: Sequence[Entry], told: _Once) -> None:
    """Chooses the history that stands for a group of the same search."""
    largest, *rivals = _believed(group)
    rival = next((each for each in rivals if _contradict(largest, each)), None)
    if rival is None:
        told.kept.append(largest)
    for entry in group:
        against = rival if entry is largest else largest
        if against is None:
            continue
        what = f"{against.name} ({against.path})"
        if _contradict(against, entry):
            end = "neither is used; delete the one that is wrong" if rival else "that one is kept"
            reason = f"says that it is the same search as {what}, but has other scores: {end}"
            told.disputed.append(LeftOut(name=entry.name, reason=printable(reason, 1000)))
        else:
            reason = printable(f"the same search as {what}", 1000)
            told.repeated.append(LeftOut(name=entry.name, reason=reason))


def _believed(group: Sequence[Entry]) -> Sequence[Entry]:
    """Those of which the first may stand for its group, unless the others contradict it."""
    largest = group[0]
    if largest.place == OWN or not any(_contradict(largest, each) for each in group):
        return [largest]
    first = min(each.place for each in group)
    return [each for each in group if each.place == first]


def _contradict(one: Entry, other: Entry) -> bool:
    """Whether two histories of one search give the same configurations other scores."""
    scores = _scores(one)
    gaps = [abs(score - scores[key]) for key, score in _scores(other).items() if key in scores]
    return len(gaps) >= _ENOUGH and sum(gaps) / len(gaps) > _SAME_SCORE


def _scores(entry: Entry) -> dict[str, float]:
    return {
        json.dumps(trial.values, sort_keys=True): trial.score
        for trial in entry.history.completed
        if trial.score is not None
    }


def _search_key(history: TuningHistory) -> str:
    """Equal for histories of the same search: its task, its space and how trials were made."""
    header = history.header
    if header.task is None:
        # Nothing tells searches of other tuners apart but their trials.
        return _trials_key(history)
    search = header.search.model_dump(exclude={"algorithm"})
    return json.dumps([_identity(header.task), header.space.model_dump(), search], sort_keys=True)


def _trials_key(history: TuningHistory) -> str:
    """Equal for histories of the same trials on the same data."""
    trials = [[trial.values, trial.score] for trial in history.completed]
    task = history.header.task
    return json.dumps([task and task.data_fingerprint, trials], sort_keys=True)


def _with_unique_names(oldest_first: Sequence[Entry]) -> list[Entry]:
    names: dict[str, int] = {}
    unique = []
    for entry in oldest_first:
        names[entry.name] = number = names.get(entry.name, 0) + 1
        name = entry.name if number == 1 else f"{entry.name} ({number})"
        unique.append(replace(entry, name=name))
    return unique
