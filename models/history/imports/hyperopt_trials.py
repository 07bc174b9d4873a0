"""Hyperopt's trials, as JSON: the documents of `Trials.trials`, in a list or one a line.

Hyperopt itself keeps them as pickles, which run whatever their author wrote into them when they
are opened: those are refused.

A document has the place in its list where the search chose from a list (`hp.choice`), and nothing
tells that place from a number. So whole numbers are taken only where the documents have `params`,
the choices themselves, or the user says that they are numbers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.history.imports.bounded import Reader, parse_json
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Wanted,
    passed_over,
)
from models.history.imports.scores import choose_direction, choose_metric, is_usable, number_of
from models.history.imports.times import latest, seconds_between
from models.history.imports.values import flat, typed

HOW = (
    "In Python, where the trials are: "
    "docs = [dict(t, params=hyperopt.space_eval(space, {k: v[0] for k, v in "
    "t['misc']['vals'].items() if v})) for t in trials.trials]; "
    "json.dump(docs, open('trials.json', 'w'), default=str). Then import trials.json."
)
"""How to write what can be read."""

_LOSS = "loss"
_DONE = (2, "2")
_FAILED = (3, "3")

_Document = Mapping[str, object]


def is_trials(content: object) -> bool:
    """Whether what was read from JSON is a document of Hyperopt's, or a list of them."""
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and {"misc", "result", "tid"} <= first.keys()


def read_trials(path: Path, wanted: Wanted) -> list[Found]:
    """Reads documents.

    Raises:
        ForeignPastError: they cannot be read, or what a figure means is in doubt.
    """
    where = str(path)
    documents = _documents(Reader().text(path), where)
    ended = [each for each in documents if each.get("state") in (*_DONE, *_FAILED)]
    notes = passed_over(len(documents) - len(ended))
    figures = {name for each in ended for name, value in _result(each).items() if is_usable(value)}
    by_default = wanted.metric is None and _LOSS in figures
    metric = _LOSS if by_default else choose_metric(sorted(figures), wanted, where)
    values = _values(ended, wanted, where)
    past = ForeignPast(
        tuner="Hyperopt",
        name=path.absolute().stem,
        metric=metric,
        # `fmin` minimises, whatever the loss is.
        direction="min" if metric == _LOSS else choose_direction(metric, wanted, where),
        trials=[_trial(*each, metric) for each in zip(ended, values, strict=True)],
        created=latest((each.get("refresh_time") for each in ended), path),
        notes=notes,
    )
    return [past]


def _documents(text: str, where: str) -> list[_Document]:
    if text.lstrip().startswith("["):
        read = parse_json(text, where)
        documents = read if isinstance(read, list) else [read]
    else:
        lines = enumerate(text.splitlines(), start=1)
        documents = [parse_json(line, f"{where}, line {n}") for n, line in lines if line.strip()]
    for place, document in enumerate(documents):
        if not is_trials(document) or not isinstance(document, dict):
            raise ForeignPastError(f"{where}: entry {place} is no trial of Hyperopt's. {HOW}")
    return [document for document in documents if isinstance(document, dict)]


def _trial(document: _Document, values: Mapping[str, object], metric: str) -> ForeignTrial:
    result = _result(document)
    is_ok = document.get("state") in _DONE and result.get("status") == "ok"
    return ForeignTrial(
        values,
        number_of(result.get(metric)) if is_ok else None,
        took=seconds_between(document.get("book_time"), document.get("refresh_time")),
        message="" if is_ok else str(result.get("failure") or result.get("status") or "failed"),
    )


def _values(
    documents: Sequence[_Document], wanted: Wanted, where: str
) -> list[Mapping[str, object]]:
    given = [each.get("params") for each in documents]
    if documents and all(isinstance(each, dict) for each in given):
        return [flat(each) for each in given if isinstance(each, dict)]
    raw = [_vals(each) for each in documents]
    columns = {name: _column([each.get(name) for each in raw]) for each in raw for name in each}
    doubtful = [
        name
        for name, column in columns.items()
        if name not in wanted.names
        and all(isinstance(value, int) for value in column if value is not None)
    ]
    if doubtful:
        raise ForeignPastError(
            f"{where}: {doubtful[0]!r} has whole numbers, which may be numbers or places in the "
            f"list of an hp.choice. If they are numbers, say --map {doubtful[0]}={doubtful[0]}; "
            f"to leave it out, --map {doubtful[0]}=. Otherwise write the choices themselves. {HOW}"
        )
    return [{name: column[place] for name, column in columns.items()} for place in range(len(raw))]


def _vals(document: _Document) -> dict[str, object]:
    misc = document.get("misc")
    vals = misc.get("vals") if isinstance(misc, dict) else None
    kept = vals if isinstance(vals, dict) else {}
    return {name: value[0] for name, value in kept.items() if isinstance(value, list) and value}


def _column(values: Sequence[object]) -> list[object]:
    """Numbers, also where JSON has NumPy's whole numbers as text."""
    if all(isinstance(value, str) for value in values if value is not None):
        return list(typed([value if isinstance(value, str) else "" for value in values]))
    return list(values)


def _result(document: _Document) -> Mapping[str, object]:
    result = document.get("result")
    return result if isinstance(result, dict) else {}
