"""The report's section on the search for the settings of fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.report.artifacts import Artifacts, Json

if TYPE_CHECKING:  # the summary of a failed run has to do without
    from models.history.records import Evaluation, TrialRecord
    from models.history.search_space import Value
    from models.history.tuning_history import TuningHistory

_MOST_TRIALS = 12


@dataclass(frozen=True)
class FineTuningRow:
    """One trial: `number` from 1, the rest as text; `values` in the order of the view's names."""

    number: int
    values: list[str]
    first_accuracy: str
    accuracy: str
    score: str
    seconds: str
    chosen: bool


@dataclass(frozen=True)
class FineTuningView:
    """What the section shows.

    Attributes:
        trials: made in all.
        whole: of them trained to the end.
        seconds: that the trials took.
        words: what was chosen, and why.
        earlier: what earlier searches gave; empty where that is not known.
        names: of the settings.
        first_look: epochs after which all were compared; None where all were trained to the end.
        rows: the best trials.
    """

    trials: int
    whole: int
    seconds: float
    words: str
    earlier: str
    names: list[str]
    first_look: int | None
    rows: list[FineTuningRow]


def fine_tuning_view(found: Artifacts) -> FineTuningView | None:
    """Builds the section; None when nothing was searched."""
    history = found.fine_tuning
    if history is None:
        return None
    contribution = found.fine_tuning_contribution
    names = [parameter.name for parameter in history.header.space.parameters]
    looks = [trial.evaluations[0].paused_after for trial in history.completed]
    return FineTuningView(
        trials=len(history.trials),
        whole=sum(_whole(trial) is not None for trial in history.completed),
        seconds=sum(trial.seconds for trial in history.trials),
        words=_words(history),
        earlier=contribution.words if contribution else "",
        names=[_setting(name) for name in names],
        first_look=looks[0] if looks else None,
        rows=_rows(history, names),
    )


def fine_tuning_summary(found: Artifacts) -> Json | None:
    """The part of `summary.json`; None when nothing was searched.

    Returns:
        `trials`; `best` with `score` (None where the default won at the first look) and `values`,
        and `gain`, of its score against that of the configured settings; None where they failed.
    """
    history = found.fine_tuning
    if history is None:
        return None
    return {
        "trials": len(history.trials),
        "best": None if history.best is None else _best(history.best),
        "gain": _gain(history),
    }


def _best(trial: "TrialRecord") -> Json:
    whole = _whole(trial)
    return {"score": None if whole is None else whole.score, "values": dict(trial.values)}


def _gain(history: "TuningHistory") -> float | None:
    """Lead of the chosen settings' score over that of the configured ones, the first trial."""
    default, best = history.trials[0], history.best
    if best is default:
        return 0.0
    whole = None if best is None else _whole(best)
    before = _whole(default)
    return None if whole is None or before is None else whole.score - before.score


def _words(history: "TuningHistory") -> str:
    best, gain = history.best, _gain(history)
    if best is None:
        return "None of them came out, so the configured settings stay."
    if best is history.trials[0]:
        return "The configured settings stay: none was better by more than noise."
    chosen = ", ".join(f"{_setting(name).lower()} {_value(v)}" for name, v in best.values.items())
    better = "" if gain is None else f", {gain:+.4f} of the score against the configured settings"
    return f"Chosen: {chosen}{better}."


def _rows(history: "TuningHistory", names: Sequence[str]) -> list[FineTuningRow]:
    def rank(trial: "TrialRecord") -> tuple[float, float]:
        whole = _whole(trial)
        return (-1.0 if whole is None else whole.score, trial.score or 0.0)

    return [
        FineTuningRow(
            number=trial.order + 1,
            values=[_value(trial.values.get(name, "–")) for name in names],
            first_accuracy=_accuracy(trial.evaluations[0]),
            accuracy=_accuracy(_whole(trial)),
            score="–" if (whole := _whole(trial)) is None else f"{whole.score:.4f}",
            seconds=f"{trial.seconds:.0f}",
            chosen=trial is history.best,
        )
        for trial in sorted(history.completed, key=rank, reverse=True)[:_MOST_TRIALS]
    ]


def _whole(trial: "TrialRecord") -> "Evaluation | None":
    """The training to its end; None where there was none."""
    last = trial.evaluations[-1] if trial.evaluations else None
    return None if last is None or last.paused_after is not None else last


def _accuracy(evaluation: "Evaluation | None") -> str:
    return "–" if evaluation is None else f"{evaluation.validation_accuracy:.3f}"


def _setting(name: str) -> str:
    return name.removeprefix("training.").replace("_", " ").capitalize()


def _value(value: "Value") -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
