"""A past of another tuner as a history of Graft's, with all that is known and nothing made up."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from models.history.collection import printable
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Wanted,
)
from models.history.imports.names import RATES, our_names
from models.history.imports.scores import is_usable, unit_of
from models.history.imports.values import is_of_one_kind, seen_space, storable
from models.history.records import ForeignSearch, Header, Reported, TrialRecord
from models.history.search_space import Parameter, SearchSpace, Value
from models.history.tuning_history import MOST_TRIALS, TuningHistory, first_fault


@dataclass(frozen=True)
class _Named:
    """The values of all trials by our names.

    Attributes:
        ours: our names, by theirs.
        values: of each trial.
        passed_over: their names of what cannot be held.
    """

    ours: Mapping[str, str]
    values: Sequence[dict[str, Value]]
    passed_over: tuple[str, ...]


def assemble(past: ForeignPast, wanted: Wanted) -> tuple[TuningHistory, tuple[str, ...]]:
    """Makes the history.

    Scores stay as they are, and so does their direction: of a loss, lower is better in the history
    too. Only percentages become shares.

    Returns:
        The history, and what a user should know about it, in sentences.

    Raises:
        ForeignPastError: there is no trial with a score, a name or unit is in doubt, or something
            does not fit into a history.
    """
    trials = past.trials[-MOST_TRIALS:]
    notes = list(past.notes)
    if len(trials) < len(past.trials):
        notes.append(f"Of {len(past.trials):,} trials the newest {MOST_TRIALS:,} were taken.")
    scores = [trial.score for trial in trials if trial.score is not None]
    scores = [score for score in scores if is_usable(score)]
    if not scores:
        raise ForeignPastError(
            f"{past.name}: none of its {len(trials)} trials that ended has a score, so there is "
            "nothing to learn from."
        )
    unit = unit_of(past.metric, past.direction, scores, past.name)
    if unit != 1.0:
        notes.append(f"{past.metric} was a percentage; it was divided by {unit:g}.")
    named = _named(past.name, trials, wanted)
    if named.passed_over:
        notes.append(
            "Passed over, as a history holds numbers, text or truth values, of one kind for each "
            f"hyperparameter: {', '.join(named.passed_over)}."
        )
    try:
        records = tuple(
            _record(order, trial, ours, unit)
            for order, (trial, ours) in enumerate(zip(trials, named.values, strict=True))
        )
        header = Header(
            name=printable(past.name),
            trials=len(records),
            created=past.created,
            space=_space(past, named),
            task=None,
            search=ForeignSearch(
                algorithm=past.tuner, metric=past.metric, direction=past.direction
            ),
            versions=dict(past.versions),
        )
    except ValidationError as error:
        fault = first_fault(error, "the search")
        raise ForeignPastError(f"{past.name}: does not fit into a history: {fault}") from None
    return TuningHistory(header, records), tuple(printable(note, 1000) for note in notes)


def _named(where: str, trials: Sequence[ForeignTrial], wanted: Wanted) -> _Named:
    columns: dict[str, list[Value | None]] = {}
    for trial in trials:
        for name, value in trial.values.items():
            if value is not None:
                columns.setdefault(name, []).append(storable(value))
    whole = {name: column for name, column in columns.items() if _can_be_held(column)}
    ours = our_names(whole, wanted, where)
    _check_rates(where, ours, whole)
    values = [
        {
            ours[name]: kept
            for name, value in trial.values.items()
            if name in ours
            if (kept := storable(value)) is not None
        }
        for trial in trials
    ]
    left_out = {name for name, our in wanted.names.items() if not our}
    return _Named(ours, values, tuple(sorted(columns.keys() - whole.keys() - left_out)))


def _can_be_held(column: Sequence[Value | None]) -> bool:
    values = [value for value in column if value is not None]
    return len(values) == len(column) and is_of_one_kind(values) and bool(seen_space("x", values))


def _check_rates(
    where: str, ours: Mapping[str, str], columns: Mapping[str, Sequence[Value | None]]
) -> None:
    for name, our in ours.items():
        if our in RATES and any(isinstance(v, int | float) and v < 0 for v in columns[name]):
            raise ForeignPastError(
                f"{where}: {name!r} has values below 0, so it is no learning rate, but perhaps "
                "the logarithm of one, of which base is not known. Give it another name with "
                f"--map '{name}=log_rate', or put the rates themselves into the source."
            )


def _record(order: int, trial: ForeignTrial, values: dict[str, Value], unit: float) -> TrialRecord:
    seconds = trial.took if is_usable(trial.took) and trial.took > 0 else 0.0
    if trial.score is None or not is_usable(trial.score):
        unusable = trial.score is not None
        message = "its score is no finite number" if unusable else trial.message
        return TrialRecord(
            order=order,
            status="failed",
            values=values,
            seconds=seconds,
            message=printable(message, 300),
        )
    return TrialRecord(
        order=order,
        status="completed",
        values=values,
        score=trial.score / unit,
        reported=_reported(trial, unit),
        seconds=seconds,
    )


def _reported(trial: ForeignTrial, unit: float) -> Reported:
    scores = trial.scores if all(is_usable(score) for score in trial.scores) else ()
    is_timed = len(trial.seconds) == len(scores) and all(
        math.isfinite(each) and each > 0 for each in trial.seconds
    )
    return Reported(
        scores=tuple(score / unit for score in scores),
        seconds=trial.seconds if is_timed else (),
        stopped=trial.stopped,
    )


def _space(past: ForeignPast, named: _Named) -> SearchSpace:
    """What the tuner says of each parameter, where that holds all values; else what was tried."""
    told = {
        named.ours[each.name]: each.model_copy(update={"name": named.ours[each.name]})
        for each in past.space
        if each.name in named.ours
    }
    columns: dict[str, list[Value]] = {}
    for values in named.values:
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    if not columns:
        raise ForeignPastError(f"{past.name}: its trials have no hyperparameters that can be kept.")
    return SearchSpace(
        parameters=tuple(_parameter(told.get(name), name, columns[name]) for name in columns)
    )


def _parameter(told: Parameter | None, name: str, values: Sequence[Value]) -> Parameter:
    if told is not None and all(told.contains(value) for value in values):
        return told
    seen = seen_space(name, values)
    assert seen is not None  # `_can_be_held` asked
    return seen
