"""The history file: every trial of one search, for later searches to learn from.

Format, version 1: JSON lines in UTF-8. The first line is a `Header`, each further one a
`TrialRecord`, in the order of the search; `Header.trials` says how many. The classes in
`models.history.records` define the fields. A reader ignores fields that it does not know, so fields
may be added within a version; a change of meaning, or a new kind of parameter in the space, makes
a new version. Files are written in one step and never changed.

A file may come from anybody, so the reader trusts nothing: it bounds the size, checks every type
and range, and computes nothing from the text but numbers and strings.
"""

import datetime
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from models.errors import GraftError
from models.history.records import Header, SearchDescription, TaskDescription, TrialRecord
from models.history.search_space import SearchSpace
from models.storage.atomic_write import write_atomically
from models.storage.locations import read_place
from models.storage.place_error import PlaceError

MAX_BYTES = 64 * 2**20
"""Larger files are refused; a hundred trials take well under a megabyte."""

MOST_TRIALS = 1000
"""As many as the configuration allows; more are refused."""

_LIBRARIES = ("tensorflow", "keras", "keras-tuner", "numpy")
_Record = TypeVar("_Record", bound=BaseModel)


class _Signature(BaseModel):
    format: str
    version: int


class HistoryError(GraftError):
    """A history that cannot be read: not one, of another version, cut short, or damaged."""


@dataclass(frozen=True)
class TuningHistory:
    """One search.

    Attributes:
        header: what was searched, on which task.
        trials: in the order of the search.
    """

    header: Header
    trials: tuple[TrialRecord, ...]

    @property
    def completed(self) -> tuple[TrialRecord, ...]:
        """The trials that have a score."""
        return tuple(trial for trial in self.trials if trial.status == "completed")

    @property
    def best(self) -> TrialRecord | None:
        """The chosen trial, or else the first of the best score.

        None when all failed.
        """
        if self.header.chosen is not None:
            return self.trials[self.header.chosen]
        sign = 1.0 if self.header.search.direction == "max" else -1.0
        return max(self.completed, key=lambda trial: sign * (trial.score or 0.0), default=None)


def new_history(
    space: SearchSpace,
    task: TaskDescription,
    search: SearchDescription,
    trials: tuple[TrialRecord, ...],
    *,
    chosen: int | None = None,
    name: str = "",
) -> TuningHistory:
    """Puts together the history of a search made now, with these libraries."""
    header = Header(
        name=name,
        trials=len(trials),
        chosen=chosen,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        space=space,
        task=task,
        search=search,
        versions={name: importlib.metadata.version(name) for name in _LIBRARIES},
    )
    return TuningHistory(header, trials)


def write_history(path: Path, history: TuningHistory) -> None:
    """Writes the file in one step.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    write_atomically(path, history_bytes(history))


def history_bytes(history: TuningHistory) -> bytes:
    """The content of the file."""
    lines = [record.model_dump_json() for record in (history.header, *history.trials)]
    return ("\n".join(lines) + "\n").encode()


def read_history(path: Path | str) -> TuningHistory:
    """Reads a file that anybody may have written.

    Args:
        path: on this machine, or the URI of a file in a bucket.

    Raises:
        HistoryError: names the file, the line and what is wrong with it.
    """
    try:
        content = read_place(str(path), MAX_BYTES)
    except PlaceError as error:
        raise HistoryError(str(error)) from error
    return parse_history(content, str(path))


def parse_history(content: bytes, path: str) -> TuningHistory:
    """Reads the content of a file that anybody may have written.

    Args:
        content: all of it.
        path: where it lies, for messages.

    Raises:
        HistoryError: names the file, the line and what is wrong with it.
    """
    first, *rest = content.split(b"\n")
    _check_format(path, first)
    header = _parse(path, 1, first, Header)
    if header.trials > MOST_TRIALS:
        raise HistoryError(f"{path}: more than {MOST_TRIALS:,} trials")
    if not content.endswith(b"\n") or len(rest) - 1 != header.trials:
        complete = content.count(b"\n") - 1
        raise HistoryError(
            f"{path}: cut short or joined with another: {header.trials} trials announced, "
            f"{complete} found"
        )
    trials = tuple(
        _parse(path, number, line, TrialRecord) for number, line in enumerate(rest[:-1], start=2)
    )
    _check_trials(path, header.space, trials)
    if header.chosen is not None and (
        header.chosen >= len(trials) or trials[header.chosen].status != "completed"
    ):
        raise HistoryError(f"{path}: trial {header.chosen} was chosen, but has no score")
    return TuningHistory(header, trials)


def _check_format(path: str, line: bytes) -> None:
    try:
        signature = _Signature.model_validate_json(line, strict=True)
    except ValidationError as error:
        raise HistoryError(f"{path}: not a tuning history of Graft, or cut short") from error
    if signature.format != "graft-tuning-history":
        raise HistoryError(f"{path}: not a tuning history of Graft")
    if signature.version != 1:
        raise HistoryError(
            f"{path}: format version {signature.version}, but this Graft reads version 1; read it "
            "with the Graft that wrote it, or update this one"
        )


def _parse(path: str, number: int, line: bytes, kind: type[_Record]) -> _Record:
    try:
        return kind.model_validate_json(line, strict=True)
    except ValidationError as error:
        raise HistoryError(f"{path}, line {number}: {first_fault(error, 'the line')}") from error


def _check_trials(path: str, space: SearchSpace, trials: tuple[TrialRecord, ...]) -> None:
    parameters = {parameter.name: parameter for parameter in space.parameters}
    for position, trial in enumerate(trials):
        where = f"{path}, line {position + 2}"
        if trial.order != position:
            raise HistoryError(f"{where}: trial {trial.order} in the place of {position}")
        for name, value in trial.values.items():
            if name not in parameters or not parameters[name].contains(value):
                raise HistoryError(f"{where}: {name!r} = {value!r} is not in the search space")


def first_fault(error: ValidationError, whole: str) -> str:
    """The first field that does not fit, and why; `whole` where it is none in particular."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or whole
    return f"{place}: {first['msg']}"
