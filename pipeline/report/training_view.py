"""The report's section on the training of the model."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.account import TrainingAccount, training_account
from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks, whole_ticks

_PHASES = {
    "head": "head alone",
    "fine_tune": "fine-tuning",
    "fine_tune_again": "fine-tuning on its own answers",
    "fine_tune_copies": "fine-tuning on copies",
    "fine_tune_all": "fine-tuning on all images",
}


@dataclass(frozen=True)
class TrainingView:
    """What the section shows.

    Attributes:
        strategy: name of the strategy of the training.
        account: which model came out.
        reasons: why this strategy and why this model was exported, in words.
        accuracy: chart of the validation accuracy; None without epochs.
        loss: chart of the losses; None without epochs.
        phases: `name`, `epochs`, `best_epoch` (from 1) and `seconds` of each.
        strategies: `name`, `kept`, `reason` and `words` of each that was tried.
        class_weights: smallest and largest, with their classes; None when all are equal.
        blocks: `name`, `features`, `worth` and `share` (of the largest worth, 0..1) of each block
            of the backbone, from the bottom up.
    """

    strategy: str
    account: TrainingAccount
    reasons: list[str]
    accuracy: Markup | None
    loss: Markup | None
    phases: list[Json]
    strategies: list[Json]
    class_weights: tuple[tuple[str, float], tuple[str, float]] | None
    blocks: list[Json]


def training_view(found: Artifacts) -> TrainingView | None:
    """Builds the section; None when nothing was trained."""
    training = found.training
    account = training_account(training, found.ingest)
    if account is None:
        return None
    history: dict[str, list[float | None]] = training.get("history", {})
    phases: list[Json] = training.get("phases", [])
    reasons = [training.get("reason"), training.get("exported_reason"), *training.get("notes", [])]
    return TrainingView(
        strategy=account.chosen.replace("_", " "),
        account=account,
        reasons=[_sentence(reason) for reason in reasons if reason],
        accuracy=_chart(
            "Validation accuracy after each epoch",
            "accuracy",
            [("validation", history.get("val_accuracy", []))],
            phases,
        ),
        loss=_chart(
            "Loss in training and validation after each epoch",
            "loss, nats",
            [("training", history.get("loss", [])), ("validation", history.get("val_loss", []))],
            phases,
        ),
        phases=[
            {
                "name": _phase(phase["name"]),
                "epochs": phase["epochs"],
                "best_epoch": phase["best_epoch"] + 1,
                "seconds": phase["seconds"],
            }
            for phase in phases
        ],
        strategies=[
            each | {"reason": _sentence(each["reason"]), "words": _sentence(each["words"])}
            for each in training.get("strategies", [])
        ],
        class_weights=_extremes(training.get("class_weights", {})),
        blocks=_blocks(training.get("blocks", [])),
    )


def _blocks(blocks: list[Json]) -> list[Json]:
    most = max((each["worth"] for each in blocks), default=0.0)
    return [
        each | {"share": max(each["worth"], 0.0) / most if most > 0.0 else 0.0} for each in blocks
    ]


def _chart(
    title: str, label: str, lines: Sequence[tuple[str, list[float | None]]], phases: list[Json]
) -> Markup | None:
    styles = {"training": "second", "validation": "first"}
    series = [
        Series(name, [(n + 1.0, y) for n, y in enumerate(values) if y is not None], styles[name])
        for name, values in lines
    ]
    values = [y for each in series for _, y in each.points]
    if not values:
        return None
    last = max(int(each.points[-1][0]) for each in series if each.points)
    marks = [
        (phase["first_epoch"] + 0.5, _phase(phase["name"]))
        for phase in phases[1:]
        # One that learned from the validation images has no figure of them.
        if phase["first_epoch"] < last
    ]
    x, y = Axis("epoch", whole_ticks(last)), Axis(label, nice_ticks(min(values), max(values)))
    return line_chart(title, series, x, y, marks)


def _phase(name: str) -> str:
    return _PHASES.get(name, name)


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _extremes(weights: dict[str, float]) -> tuple[tuple[str, float], tuple[str, float]] | None:
    if len(set(weights.values())) < 2:
        return None
    ordered = sorted(weights.items(), key=lambda item: item[1])
    return ordered[0], ordered[-1]
