"""Takes over pasts of other tuners: finds out what a file or folder is, and reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from models.byte_order_mark import without_mark
from models.history.imports.assemble import assemble
from models.history.imports.bounded import parse_json
from models.history.imports.foreign_past import (
    Direction,
    ForeignPast,
    ForeignPastError,
    Found,
    Refused,
    Wanted,
)
from models.history.imports.hyperopt_trials import HOW, is_trials, read_trials
from models.history.imports.keras_tuner_project import is_project, read_project
from models.history.imports.mlflow_database import is_database, read_database
from models.history.imports.mlflow_folder import is_store, read_store
from models.history.imports.names import check_named
from models.history.imports.optuna_storage import read_storage
from models.history.imports.ray_experiment import is_experiment, read_experiment
from models.history.imports.sqlite_file import SIGNATURE
from models.history.imports.tables import is_table, read_table
from models.history.tuning_history import TuningHistory

Kind = Literal["keras-tuner", "optuna", "ray", "hyperopt", "mlflow", "csv"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What can be read."""

_FOLDERS: dict[Kind | None, tuple[Callable[[Path], bool], str]] = {
    "keras-tuner": (is_project, "a project folder of Keras Tuner, with trial_*/trial.json in it"),
    "ray": (
        is_experiment,
        "an experiment folder of Ray Tune, with a folder in it for each trial that has params.json",
    ),
}
_FILES: dict[Kind | None, str] = {
    "optuna": "an SQLite file with a storage of Optuna",
    "hyperopt": "a JSON file with trials of Hyperopt",
    "csv": "a CSV file",
}
"""What each kind is, where it is the one or the other alone."""

_LOOKED_AT = 2**20
"""Bytes at the beginning of a file that tell what it is."""

_NAMED = 5
"""Searches that a message names."""

_PICKLE = b"\x80"


@dataclass(frozen=True)
class Imported:
    """What a file or folder came to.

    Attributes:
        histories: one for each search in it, at least one.
        refused: the searches in it that cannot be taken over.
        notes: what a user should know, in sentences; the name of a search comes first.
    """

    histories: tuple[TuningHistory, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]


def import_histories(
    source: Path | str,
    *,
    kind: Kind | None = None,
    metric: str | None = None,
    direction: Direction | None = None,
    names: Mapping[str, str] | None = None,
    target: Sequence[str] = (),
) -> Imported:
    """Takes over what another tuner left.

    Read are a project folder of Keras Tuner, an SQLite storage of Optuna (all its studies), an
    experiment folder of Ray Tune, trials of Hyperopt as JSON, a store of MLflow (`mlruns/` or
    SQLite) or its table of runs, and any CSV table with a trial in each row. docs/KNOWLEDGE.md
    tells what is taken from each. Nothing of them is run: pickles are refused.

    Args:
        source: file or folder.
        kind: of the source; None finds out by its content.
        metric: name of the score, where the source has several figures.
        direction: of the score, where neither the source nor the score's name tells.
        names: our name by their name of a hyperparameter; an empty one leaves it out.
        target: names of the new search's hyperparameters. A rate that the past calls `lr` and the
            target `learning_rate` gets the target's name; without a target that of Graft's heads.

    Raises:
        ForeignPastError: there is nothing that can be taken over; says why, and what mends it.
    """
    path = Path(source)
    _check_words(kind, direction, target)
    wanted = Wanted(metric, direction, dict(names or {}), tuple(target))
    found = _reader(path, kind or kind_of(path))(path, wanted)
    _check_renamed(found, wanted)
    histories: list[TuningHistory] = []
    refused: list[Refused] = []
    notes: list[str] = []
    for past in found:
        if isinstance(past, Refused):
            refused.append(past)
            continue
        try:
            history, said = assemble(past, wanted)
        except ForeignPastError as error:
            refused.append(Refused(past.name, str(error)))
            continue
        histories.append(history)
        notes += [f"{history.header.name}: {note}" for note in said]
    if not histories:
        reasons = "".join(f"\n  {each.reason}" for each in refused)
        raise ForeignPastError(f"There is no search to import in {path}.{reasons}")
    return Imported(tuple(histories), tuple(refused), tuple(notes))


def _check_renamed(found: Sequence[Found], wanted: Wanted) -> None:
    """Makes sure that each name that the user renames is in one of the searches at least."""
    pasts = [each for each in found if isinstance(each, ForeignPast)]
    if pasts:
        present = {
            name
            for past in pasts
            for trial in past.trials
            for name, value in trial.values.items()
            if value is not None
        }
        check_named(wanted.names, present, ", ".join(past.name for past in pasts[:_NAMED]))


def _check_words(kind: object, direction: object, target: object) -> None:
    for name, said, known in (
        ("kind", kind, KINDS),
        ("direction", direction, get_args(Direction)),
    ):
        if said is not None and said not in known:
            raise ForeignPastError(f"{name} takes {', '.join(known)}; got {said!r}")
    if isinstance(target, str):
        raise ForeignPastError(f"target takes a list of names, such as [{target!r}]")


def kind_of(path: Path) -> Kind | None:
    """What a file or folder is, by its content; None for none that is known.

    Raises:
        ForeignPastError: it cannot be looked at, or is a pickle.
    """
    if path.is_dir():
        return _kind_of_folder(path)
    beginning = _beginning(path)
    if not beginning:
        return None
    if beginning.startswith(SIGNATURE):
        return "mlflow" if is_database(path) else "optuna"
    if beginning.startswith(_PICKLE):
        raise ForeignPastError(
            f"{path}: is a pickle. Opening one runs whatever its author put into it, so Graft "
            f"never does. If it holds trials of Hyperopt, write them as JSON. {HOW}"
        )
    content, marked = without_mark(beginning)
    return _kind_of_text(content.decode(marked or "utf-8", "replace"), path)


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; none where there is no file."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT)
    except OSError as error:
        raise ForeignPastError(f"{path}: {error.strerror or error}") from None


def _kind_of_folder(path: Path) -> Kind | None:
    if is_project(path):
        return "keras-tuner"
    if is_experiment(path):
        return "ray"
    return "mlflow" if is_store(path) else None


def _kind_of_text(text: str, path: Path) -> Kind | None:
    start = text.lstrip()
    if '"op_code"' in start.split("\n", 1)[0]:
        raise ForeignPastError(
            f"{path}: is a journal of Optuna's. Copy its studies to an SQLite file with "
            "optuna.copy_study(from_study_name=…, from_storage=…, to_storage='sqlite:///study.db')"
            ", and import that."
        )
    if start.startswith(("[", "{")):
        return "hyperopt" if _has_trials(start) else None
    return "csv" if is_table(text) else None


def _has_trials(text: str) -> bool:
    """Whether JSON begins with a document of Hyperopt's; the whole may be longer."""
    first = text.split("\n", 1)[0]
    try:
        return is_trials(parse_json(first, ""))
    except ForeignPastError:
        return text.startswith("[") and all(f'"{key}"' in text for key in ("misc", "vals", "tid"))


def _check_place(path: Path, kind: Kind | None) -> None:
    if not path.exists():
        raise ForeignPastError(f"{path}: there is no such file or folder")
    looks_so, folder = _FOLDERS.get(kind, (None, ""))
    if looks_so and not (path.is_dir() and looks_so(path)):
        raise ForeignPastError(f"{path}: is not what --kind {kind} expects: {folder}")
    if kind in _FILES and path.is_dir():
        raise ForeignPastError(f"{path}: is not what --kind {kind} expects: {_FILES[kind]}")


def _reader(path: Path, kind: Kind | None) -> Callable[[Path, Wanted], Sequence[Found]]:
    _check_place(path, kind)
    match kind:
        case "keras-tuner":
            return read_project
        case "optuna":
            return read_storage
        case "ray":
            return read_experiment
        case "hyperopt":
            return read_trials
        case "mlflow":
            if path.is_dir():
                return read_store
            return read_database if _beginning(path).startswith(SIGNATURE) else read_table
        case "csv":
            return read_table
    raise ForeignPastError(
        f"{path}: is nothing that can be imported: no project folder of Keras Tuner, no SQLite "
        "storage of Optuna, no experiment folder of Ray Tune, no trials of Hyperopt in JSON, no "
        "store of MLflow and no CSV table. If it is one of these, say which with --kind "
        f"({', '.join(KINDS)})."
    )
