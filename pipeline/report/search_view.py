"""The report's section on the search."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from models.history.contribution import LeftOut
from models.history.records import TrialRecord
from models.history.tuning_history import TuningHistory
from models.number_text import duration
from models.search.joint_space import candidate_of, in_words
from models.search.relatives import MOST_APART
from models.search.search_record import SearchRecord, TriedBackbone
from models.wording import counted, listed
from pipeline.report.artifacts import Artifacts
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks

_MOST_ROWS = 15
_MOST_NAMES = 12


@dataclass(frozen=True)
class TriedRow:
    """One configuration, as text.

    Attributes:
        words: what it is.
        epochs: that were made.
        accuracy: on the validation split, of the best epoch.
        score: accuracy to expect.
        seconds: that it took.
        best: whether it was chosen.
    """

    words: str
    epochs: str
    accuracy: str
    score: str
    seconds: str
    best: bool


@dataclass(frozen=True)
class SearchView:
    """What the section shows.

    Attributes:
        words: what was searched, and what came out.
        past: what earlier searches gave.
        gain: what more time would bring; empty where nobody can tell.
        related: earlier tasks to begin from, and how; empty without any.
        rows: the best configurations.
        more: number of the others.
        time: heading of the seconds of a backbone.
        progress: best score against time; None with too few stretches.
        price: accuracy against computation; None for one backbone.
        left_out: earlier searches and backbones that could not be used.
        failure: how many configurations failed, and why the first did; those of a backbone that
            could not be used are in `left_out`. Empty where none did.
    """

    words: str
    past: str
    gain: str
    related: str
    rows: list[TriedRow]
    more: int
    time: str
    progress: Markup | None
    price: Markup | None
    left_out: list[LeftOut]
    failure: str


def search_view(found: Artifacts) -> SearchView | None:
    """Builds the section; None when nothing was searched."""
    record, history = found.search, found.history
    if record is None or history is None:
        return None
    ranked = sorted(history.completed, key=lambda trial: (-(trial.score or 0.0), trial.order))
    refused = [LeftOut(name=str(each.candidate), reason=each.reason) for each in record.refused]
    return SearchView(
        words=_words(record, history),
        past=past_words(record),
        gain=_gain(record),
        related=related_words(record),
        rows=[_row(trial, history) for trial in ranked[:_MOST_ROWS]],
        more=max(0, len(ranked) - _MOST_ROWS),
        time=f"Time{_of_all(record)}",
        progress=_progress(record),
        price=_price(record.backbones),
        left_out=[*refused, *record.left_out],
        failure=_failure(record, history),
    )


def _failure(record: SearchRecord, history: TuningHistory) -> str:
    refused = {each.candidate for each in record.refused}
    messages = [
        trial.message
        for trial in history.trials
        if trial.status == "failed" and candidate_of(trial.values) not in refused
    ]
    if not messages:
        return ""
    first = ", the first with" if len(messages) > 1 else ""
    return f"{len(messages)} failed{first}: {messages[0]}"


def past_words(record: SearchRecord) -> str:
    """What earlier searches gave, in a sentence."""
    if not record.past:
        return (
            "It learned from no earlier search: it began with the usual configuration, went on "
            "with the cheapest, and trained the better half of them on."
        )
    searches = counted(len(record.past), "earlier search", "earlier searches")
    # A name has a comma before its date.
    names = listed(record.past, _MOST_NAMES, "; ")
    return f"It learned from the curves of {searches} ({names}). {_held(record)}"


def _held(record: SearchRecord) -> str:
    if not record.trusted:
        return "What they foretold did not hold, so that they were no longer listened to."
    if not record.judged:
        return "Too few configurations were begun to tell whether what they foretold held."
    return "What they foretold held."


def related_words(record: SearchRecord) -> str:
    """Which earlier tasks a backbone may begin from, and how that is done; empty without any."""
    if not record.related:
        return ""
    names = listed([f"{each.name} ({each.apart:.2f})" for each in record.related], _MOST_NAMES)
    return (
        f"The images look like those of {names}: so far apart are the mean features, as a share "
        f"of the variance of one task; up to {MOST_APART} counts as alike. A backbone that was "
        "fine-tuned there may be the better start: graft export --format backbone, in the "
        "workspace of that task, writes it, and --weights or model.candidates take it."
    )


def _words(record: SearchRecord, history: TuningHistory) -> str:
    of_all = f", of which all processes together took {duration(record.spent)}"
    return (
        f"{len(history.trials)} configuration{'s were' if len(history.trials) > 1 else ' was'} "
        f"begun in {duration(record.elapsed)}; the budget was {duration(record.budget)}"
        f"{of_all if record.is_shared else ''}. "
        f"{record.words} The training was then expected to take "
        f"{duration(record.training_seconds)} more."
    )


def _of_all(record: SearchRecord) -> str:
    return " of all processes together" if record.is_shared else ""


def _gain(record: SearchRecord) -> str:
    if record.gain is None:
        return ""
    return f"Ten more minutes would be expected to bring {100 * record.gain:.1f} points."


def _row(trial: TrialRecord, history: TuningHistory) -> TriedRow:
    evaluation = trial.evaluations[-1]
    return TriedRow(
        words=in_words(trial.values),
        epochs=str(len(evaluation.curve.scores)),
        accuracy=f"{evaluation.validation_accuracy:.3f}",
        score=f"{trial.score:.4f}",
        seconds=f"{trial.seconds:.0f}",
        best=trial is history.best,
    )


def _progress(record: SearchRecord) -> Markup | None:
    if len(record.steps) < 2:
        return None
    points = [(step.seconds, step.score) for step in record.steps]
    scores = [score for _, score in points]
    return line_chart(
        "The best score against the time that the search had spent",
        [Series("best so far", points)],
        Axis(f"seconds{_of_all(record)}", nice_ticks(0.0, points[-1][0])),
        Axis("accuracy to expect", nice_ticks(min(scores), max(scores))),
    )


def _price(backbones: tuple[TriedBackbone, ...]) -> Markup | None:
    points = [
        (math.log2(each.multiply_adds / 1e6), each.accuracy, each.chosen)
        for each in backbones
        if each.accuracy is not None
    ]
    if len(points) < 2:
        return None
    series = [Series("tried", [(x, y) for x, y, _ in points], "second", dots=True)]
    chosen = [(x, y) for x, y, is_chosen in points if is_chosen]
    if chosen:
        series.append(Series("chosen", chosen, dots=True))
    across = [x for x, _, _ in points]
    heights = [y for _, y, _ in points]
    return line_chart(
        "The best validation accuracy of each backbone against what it computes for an image",
        series,
        Axis("log2 of million multiply-adds", nice_ticks(min(across), max(across))),
        Axis("validation accuracy", nice_ticks(min(heights), max(heights))),
    )
