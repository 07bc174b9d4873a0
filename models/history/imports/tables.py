"""Tables in CSV: a row for each trial, with its hyperparameters and its score.

Five layouts are known by their columns: MLflow's (`params.lr`, `metrics.val_loss`), Optuna's
`trials_dataframe` (`params_lr`), Ray Tune's `get_dataframe` (`config/lr`), that of Weights & Biases
(`Name`, `Created`, `Runtime`), and any other table. In the last two every column that is neither a
figure nor bookkeeping is a hyperparameter.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from models.history.imports.bounded import Reader
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Wanted,
)
from models.history.imports.scores import choose_direction, choose_metric, is_figure, number_of
from models.history.imports.times import latest, seconds_between
from models.history.imports.values import is_number, typed, unclear_number
from models.history.search_space import Value

_MOST_COLUMNS = 2000
_SHOWN = 40
_MOST_NAMES = 10
_SCORES = {"metric", "objective", "score", "value"}
"""What a score is called where it is not called by what it measures."""

_BOOKKEEPING = {
    "", "date", "duration", "end_time", "hostname", "id", "index", "name", "number", "run",
    "run_id", "seconds", "start_time", "state", "status", "time", "timestamp", "trial",
    "trial_id", "trial_number", "unnamed: 0",
}  # fmt: skip
_IDENTITIES = {"trial_id", "run_id"}
_OF_TWO_LINES = {"number", "params", "state"}
"""Of Optuna's `trials_dataframe(multi_index=True)`."""
_WANDBS_OWN = _BOOKKEEPING | {
    "agent", "commit", "cpu count", "created", "description", "end time", "github", "gpu count",
    "gpu type", "group", "host", "host name", "job type", "notes", "os", "python version",
    "runtime", "start time", "sweep", "tags", "updated", "user", "username",
}  # fmt: skip
_STATES = ("state", "status")
_WELL_ENDED = {"", "complete", "completed", "finished", "ok", "success", "succeeded", "terminated"}
_GOING_ON = {"paused", "pending", "running", "scheduled", "waiting"}
_PRUNED = "pruned"

_Column = Sequence[Value | None]


@dataclass(frozen=True)
class _Layout:
    """How a table names its columns.

    Attributes:
        tuner: whose table it is.
        values: what the names of hyperparameters begin with.
        figures: what the names of figures begin with.
        start: column of the time when a trial began.
        end: column of the time when it ended.
        own: names in lower case of columns that are bookkeeping.
        mark: what the names of further such columns begin with.
    """

    tuner: str
    values: str = ""
    figures: str = ""
    start: str = "start_time"
    end: str = "end_time"
    own: Set[str] = frozenset(_BOOKKEEPING)
    mark: str | None = None

    def keeps_book(self, column: str) -> bool:
        """Whether a column says something of a trial beside its values and figures."""
        is_marked = self.mark is not None and column.startswith(self.mark)
        return is_marked or column.lower() in self.own


_MLFLOW = _Layout("MLflow", "params.", "metrics.")
_OPTUNA = _Layout("Optuna", "params_", start="datetime_start", end="datetime_complete")
_RAY = _Layout("Ray Tune", "config/")
_WANDB = _Layout("Weights & Biases", start="Created", own=_WANDBS_OWN, mark="_")
_PLAIN = _Layout("a table")


def is_table(text: str) -> bool:
    """Whether the beginning of a text looks like a table: two columns and a row at least."""
    rows = _rows(text)
    try:
        first, second = next(rows, []), next(rows, [])
    except csv.Error:
        return False
    return 1 < len(first) == len(second)


def read_table(path: Path, wanted: Wanted) -> list[Found]:
    """Reads a table.

    Raises:
        ForeignPastError: it cannot be read, or its score is in doubt.
    """
    where = str(path)
    columns = _columns(Reader().text(path), where)
    layout = _layout(columns)
    figures = {
        name.removeprefix(layout.figures): column
        for name, column in columns.items()
        if _may_be_figure(layout, name, column, wanted)
    }
    likely = _likely(figures, layout, wanted)
    if not likely or wanted.metric not in (None, *likely):
        _refuse_text_for_a_score(columns, layout, wanted, where)
    if not likely and wanted.metric is None:
        raise _without_a_score(columns, layout, where)
    metric = choose_metric(likely, wanted, where)
    names = _hyperparameters(columns, layout, figures, metric, wanted)
    _refuse_unclear_numbers(columns, names, wanted, where)
    state = next((columns[name] for name in columns if name.lower() in _STATES), None)
    rows = range(len(figures[metric]))
    states = [str(state[row] or "").lower() if state else "" for row in rows]
    notes = []
    ended = [row for row in rows if _has_ended(states[row], figures[metric][row])]
    if len(ended) < len(rows):
        count = len(rows) - len(ended)
        notes.append(f"{count} trials that had not ended or have no {metric} were passed over.")
    if not layout.values:
        taken = ", ".join(names.values()) or "none"
        notes.append(f"The score is {metric!r}, the hyperparameters are {taken}.")
    times = [
        [columns[name][row] if name in columns else None for name in (layout.start, layout.end)]
        for row in rows
    ]
    past = ForeignPast(
        tuner=layout.tuner,
        name=path.absolute().stem,
        metric=metric,
        direction=choose_direction(metric, wanted, where),
        trials=[
            _trial(
                {name: columns[column][row] for column, name in names.items()},
                figures[metric][row],
                states[row],
                seconds_between(*times[row]),
            )
            for row in _oldest_first(ended, times)
        ],
        created=latest((end for _, end in times), path),
        notes=notes,
    )
    return [past]


def _trial(
    values: Mapping[str, object], score: Value | None, state: str, took: float
) -> ForeignTrial:
    ended = state in _WELL_ENDED or state == _PRUNED
    return ForeignTrial(
        values,
        number_of(score) if ended else None,
        took=took,
        stopped=state == _PRUNED,
        message=state if not ended else "it has no score",
    )


def _columns(text: str, where: str) -> dict[str, _Column]:
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        raise ForeignPastError(f"{where}: {error}") from None
    names = [name.strip() for name in rows[0]] if rows else []
    if len(names) < 2 or len(rows) < 2 or len(names) > _MOST_COLUMNS:
        raise ForeignPastError(
            f"{where}: expected a table with a line of names, a line for each trial, and 2 to "
            f"{_MOST_COLUMNS:,} columns; got {len(names)} columns and {len(rows[1:])} trials"
        )
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise ForeignPastError(
                f"{where}: row {number} has {len(row)} cells, but there are {len(names)} columns"
            )
    if set(names) >= _OF_TWO_LINES:
        raise ForeignPastError(
            f"{where}: two lines name the columns; expected one. Write the table without "
            "multi_index: study.trials_dataframe().to_csv(…)."
        )
    named = [name for name in names if name]
    if len(set(named)) != len(named):
        double = next(name for name in named if named.count(name) > 1)
        raise ForeignPastError(f"{where}: two columns are called {double!r}")
    cells = dict(zip(names, zip(*rows[1:], strict=True), strict=True))
    _check_rows(cells, where)
    columns: dict[str, _Column] = {name: typed(column) for name, column in cells.items()}
    if _delimiter(text) == "," or any(_has_points(columns[name], cells[name]) for name in cells):
        return columns
    return {name: typed(column, has_commas=True) for name, column in cells.items()}


def _check_rows(cells: Mapping[str, Sequence[str]], where: str) -> None:
    """Makes sure that no trial has two rows, as in a table of all that trials reported.

    Raises:
        ForeignPastError: one has.
    """
    for name in (each for each in cells if each.lower() in _IDENTITIES):
        counted = Counter(filter(None, cells[name]))
        for identity, count in counted.most_common(1):
            if count > 1:
                raise ForeignPastError(
                    f"{where}: expected a row for each trial, but {count} rows have "
                    f"{identity[:_SHOWN]!r} as {name!r}. Keep the last one of each trial, or its "
                    "best."
                )


def _has_points(column: _Column, cells: Sequence[str]) -> bool:
    is_numeric = any(number_of(value) is not None for value in column)
    return is_numeric and any("." in cell for cell in cells)


def _layout(columns: Mapping[str, _Column]) -> _Layout:
    for layout in (_MLFLOW, _OPTUNA, _RAY):
        if any(name.startswith(layout.values) for name in columns):
            return layout
    return _WANDB if {"Name", "Created", "Runtime"} <= columns.keys() else _PLAIN


def _may_be_figure(layout: _Layout, name: str, column: _Column, wanted: Wanted) -> bool:
    is_numeric = any(number_of(value) is not None for value in column)
    if not is_numeric or not name.startswith(layout.figures):
        return False
    if name == wanted.metric:
        return True
    is_value = bool(layout.values) and name.startswith(layout.values)
    return not is_value and not layout.keeps_book(name) and name not in wanted.names


def _likely(figures: Mapping[str, _Column], layout: _Layout, wanted: Wanted) -> list[str]:
    """The columns that may be the score."""
    if wanted.metric is not None or layout.figures:
        return list(figures)
    return [name for name in figures if _is_called_a_score(name)]


def _is_called_a_score(name: str) -> bool:
    is_numbered = name.lower().startswith("values_")
    return name.lower() in _SCORES or is_figure(name) or is_numbered


def _refuse_text_for_a_score(
    columns: Mapping[str, _Column], layout: _Layout, wanted: Wanted, where: str
) -> None:
    """Says which cell is no number: one of them makes text of its whole column."""
    for column, cells in columns.items():
        name = column.removeprefix(layout.figures)
        if not (name == wanted.metric if wanted.metric else _is_called_a_score(name)):
            continue
        text = next((cell for cell in cells if cell and not is_number(str(cell))), None)
        if text is not None:
            raise ForeignPastError(
                f"{where}: has no score: {column!r} holds {str(text)[:_SHOWN]!r}; expected numbers "
                "such as 0.93, and nothing where there is none."
            )


def _refuse_unclear_numbers(
    columns: Mapping[str, _Column], names: Mapping[str, str], wanted: Wanted, where: str
) -> None:
    """Says which cell keeps a hyperparameter from being a number: it would be taken for a word."""
    for column, name in names.items():
        cell = unclear_number(columns[column])
        if cell is not None and wanted.names.get(name) != "":
            raise ForeignPastError(
                f"{where}: {column!r} holds {cell[:_SHOWN]!r}, which may be more than one number. "
                "Expected numbers such as 1024 and 0.25, or 25% in all cells of a column. Mend the "
                f"table, or leave the hyperparameter out with --map '{name}='."
            )


def _without_a_score(
    columns: Mapping[str, _Column], layout: _Layout, where: str
) -> ForeignPastError:
    called = [name for name in columns if _is_called_a_score(name.removeprefix(layout.figures))]
    if called:
        return ForeignPastError(f"{where}: has no score: {called[0]!r} holds no finite number.")
    shown = ", ".join(repr(name[:_SHOWN]) for name in list(columns)[:_MOST_NAMES])
    names = shown + (", …" if len(columns) > _MOST_NAMES else "")
    return ForeignPastError(
        f"{where}: has no score: its first line, which names the columns, says {names}, and none "
        "of these is called as scores are. Name the score with --metric; where that line is a "
        "trial, put one with names above it."
    )


def _hyperparameters(
    columns: Mapping[str, _Column],
    layout: _Layout,
    figures: Mapping[str, _Column],
    metric: str,
    wanted: Wanted,
) -> dict[str, str]:
    """Names of the hyperparameters, by their columns."""
    if layout.values:
        begin = layout.values
        return {name: name.removeprefix(begin) for name in columns if name.startswith(begin)}
    measured = {metric} | {name for name in figures if is_figure(name)}
    return {
        name: name
        for name in columns
        if name in wanted.names or (name not in measured and not layout.keeps_book(name))
    }


def _has_ended(state: str, score: Value | None) -> bool:
    """Whether a trial came to a score or failed; to end well without a score is neither."""
    return state not in _GOING_ON and (score is not None or not state or state not in _WELL_ENDED)


def _oldest_first(rows: Sequence[int], times: Sequence[Sequence[Value | None]]) -> list[int]:
    """The rows by the time when their trials began, or as they stand where some have none."""
    if all(isinstance(times[row][0], str) for row in rows):
        return sorted(rows, key=lambda row: str(times[row][0]))
    return list(rows)


def _rows(text: str) -> Iterator[list[str]]:
    """Yields the rows that are not blank."""
    text = text.lstrip("\r\n")
    return filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))


def _delimiter(text: str) -> str:
    line = text.lstrip("\r\n").split("\n", 1)[0]
    return max((",", ";", "\t"), key=line.count)
