"""`graft knowledge import` and `export` for other tuners."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import GraftError, UsageError
from models.history.collection import Entry, copy_name, printable
from models.history.imports.foreign_past import Direction
from models.history.imports.import_histories import KINDS, import_histories, kind_of
from models.history.optuna_export import best_first
from models.history.tuning_history import TuningHistory, history_bytes, read_history
from models.storage.locations import is_remote, join, write_place
from pipeline.config import Config
from pipeline.knowledge.catalogue import catalogue, find
from pipeline.workspace import Workspace

GRAFT = "graft"
"""The kind of Graft's own histories."""


@dataclass(frozen=True)
class Said:
    """What a user says about a past of another tuner.

    Attributes:
        kind: of the source; None to find out.
        metric: name of the score.
        direction: of the score.
        names: "theirs=ours" for each hyperparameter that is renamed.
    """

    kind: str | None = None
    metric: str | None = None
    direction: Direction | None = None
    names: tuple[str, ...] = ()


def is_foreign(source: str, kind: str | None) -> bool:
    """Whether another tuner left what is to be imported.

    Raises:
        GraftError: nobody should open it.
    """
    if kind is not None:
        return kind != GRAFT
    return not is_remote(source) and kind_of(Path(source)) is not None


def import_foreign(config: Config, source: str, said: Said) -> int:
    """Writes the searches of another tuner as histories into the workspace.

    Raises:
        UsageError: there is none that can be taken over, or the workspace cannot be written.
    """
    kind = next((each for each in KINDS if each == said.kind), None)
    if said.kind and kind is None:
        known = ", ".join((GRAFT, *KINDS))
        raise UsageError(f"There is no kind {said.kind!r} of past; there are {known}.")
    if is_remote(source):
        raise UsageError(f"{source}: pasts of other tuners are read from this machine. Copy it.")
    imported = import_histories(
        source,
        kind=kind,
        metric=said.metric,
        direction=said.direction,
        names=read_names(said.names),
    )
    for each in imported.refused:
        # A reason may begin with the name, for those who read it alone.
        reason = each.reason.removeprefix(f"{each.name}: ")
        print(printable(f"Left out {each.name}: {reason}", 1000))
    for note in imported.notes:
        print(note)
    folder = str(Workspace.of(config).knowledge)
    try:
        names = [_write(history, folder) for history in imported.histories]
    except GraftError as error:
        raise UsageError(f"It cannot be imported: {printable(str(error), 1000)}") from None
    for history, name in zip(imported.histories, names, strict=True):
        print(f"Imported {_in_words(history)} as {join(folder, name)}")
    print(
        "Such pasts are for searches of your own: PastSearch.from_history(load_history(FILE), NAME)"
        " for WarmStartOracle. Runs of Graft do not learn from them: nobody knows on which "
        "features, of which images, they were made."
    )
    return 0


def export_to_optuna(config: Config, which: str, target: str, names: tuple[str, ...]) -> int:
    """Writes the trials of a history for `study.enqueue_trial`, the best first.

    Args:
        config: of the run that would learn from the history.
        which: its number or name in the list, or its file.
        target: JSON file to be written.
        names: "ours=theirs" for each hyperparameter that is renamed.

    Raises:
        UsageError: there is no such history, or the target cannot be written.
    """
    is_file = os.path.isfile(which)  # noqa: PTH113 - does not raise
    history = read_history(which) if is_file else find(catalogue(config).entries, which).history
    trials = best_first(history, read_names(names))
    place = target if is_remote(target) else str(Path(target).absolute())
    try:
        write_place(place, (json.dumps(trials, indent=1) + "\n").encode())
    except GraftError as error:
        raise UsageError(f"It cannot be exported: {printable(str(error), 1000)}") from None
    print(f"Exported {len(trials)} trials, the best first, to {place}")
    return 0


def read_names(pairs: tuple[str, ...]) -> Mapping[str, str]:
    """The new name of each hyperparameter, by its old one.

    Args:
        pairs: "old=new"; "old=" leaves it out.

    Raises:
        UsageError: there is no equals sign in one.
    """
    names = {}
    for pair in pairs:
        old, sign, new = pair.rpartition("=")
        if not sign or not old:
            raise UsageError(f"--map takes OLD=NEW, such as lr=learning_rate; got {pair!r}")
        names[old] = new
    return names


def _write(history: TuningHistory, folder: str) -> str:
    content = history_bytes(history)
    digest = hashlib.sha256(content).hexdigest()
    date = history.header.created[:10]
    name = copy_name(Entry(f"{history.header.name}, {date}", "", digest, history))
    write_place(join(folder, name), content)
    return name


def _in_words(history: TuningHistory) -> str:
    search = history.header.search
    better = "higher" if search.direction == "max" else "lower"
    return (
        f"{history.header.name}, {len(history.completed)} trials of {search.algorithm} with a "
        f"score ({printable(search.metric)}, {better} is better),"
    )
