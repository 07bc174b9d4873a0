"""What a search learns from: the histories in a list of places, bounded in number.

A history of the very same task (same images, labels and split, same embeddings) is a source like
any other and the best there is: it comes first, whatever the bound. Its scores are not taken over
as trials of the new search; the oracle learns their ranking. What comes with Graft
(`models.history.shipped`) takes the places that are left.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.history.collection import Entry, collect, is_same_task
from models.history.contribution import LeftOut
from models.history.records import SUBJECT, TaskDescription
from models.history.tuning_history import TuningHistory

MOST_SOURCES = 50
"""Searches that one search learns from; the oracle's own time grows with them."""


@dataclass(frozen=True)
class Library:
    """What a search learns from.

    Attributes:
        histories: with the name of each, the most related first.
        skipped: what was left out.
    """

    histories: tuple[tuple[str, TuningHistory], ...]
    skipped: tuple[LeftOut, ...]


def read_library(
    places: Iterable[tuple[str, Path | str]],
    *,
    own: Iterable[tuple[str, Path | str]] = (),
    task: TaskDescription | None = None,
    most: int = MOST_SOURCES,
) -> Library:
    """Reads the searches that a new one learns from; other subjects are passed over unsaid.

    Args:
        places: name and place of each; see `collect`.
        own: the same, of searches that no other may displace.
        task: of the new search; without it the newest histories are the most related.
        most: sources in all. Half of the places go to the most related by their description and
            half to the newest of the rest: the description says little, and the oracle finds out
            by itself which of its sources rank its own trials.
    """
    collection = collect(places, own=own)
    entries = [each for each in collection.entries if each.subject == SUBJECT]
    chosen = choose(entries, task, most)
    taken = {entry.digest for entry in chosen}
    left_out = [
        LeftOut(name=entry.name, reason=f"{most} more related or newer histories were taken")
        for entry in entries
        if entry.digest not in taken
    ]
    histories = tuple((entry.name, entry.history) for entry in chosen)
    return Library(histories, (*collection.skipped, *collection.repeated, *left_out))


def choose(
    entries: Sequence[Entry], task: TaskDescription | None, most: int = MOST_SOURCES
) -> tuple[Entry, ...]:
    """Bounds the number of sources; see `read_library`.

    Args:
        entries: newest first.
        task: of the new search.
        most: entries to keep.

    Returns:
        The most related first; what comes with Graft last.
    """
    own = _choose([entry for entry in entries if not entry.is_starter], task, most)
    starter = _choose([entry for entry in entries if entry.is_starter], task, most - len(own))
    return (*own, *starter)


def _choose(entries: Sequence[Entry], task: TaskDescription | None, most: int) -> tuple[Entry, ...]:
    if task is None:
        return tuple(entries[:most])
    related = sorted(entries, key=lambda entry: distance(entry.history.header.task, task))
    kept = {entry.digest for entry in related[: (most + 1) // 2]}
    for entry in entries:
        if len(kept) < most:
            kept.add(entry.digest)
    return tuple(entry for entry in related if entry.digest in kept)


def distance(one: TaskDescription | None, other: TaskDescription) -> float:
    """How little two tasks are related by their description; 0 for the very same task.

    Infinity where nobody described the one.

    The numbers of images and classes say more about which hyperparameters are good than any
    distance between embeddings does (correlations .39 and .05 over 14 image tasks).
    """
    if one is None:
        return math.inf
    if is_same_task(one, other):
        return 0.0
    pairs = [(one.images, other.images), (one.classes, other.classes)]
    logs = [abs(math.log((first + 1) / (second + 1))) for first, second in pairs]
    embeddings = one.weights_digest != other.weights_digest or one.image_size != other.image_size
    return 0.1 + math.hypot(*logs) + (1.0 if embeddings else 0.0)
