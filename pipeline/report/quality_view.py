"""The report's section on what the model answers on the test split."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from components.judge.explanations import worst_mistakes
from components.judge.prediction_file import Predictions
from components.judge.slices import by_feature
from models import metrics
from models.data import example_schema
from pipeline.report import pictures
from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.charts import Axis, Series, line_chart

_MOST_MATRIX = 30
_MOST_CONFUSIONS = 30
_MOST_CLASSES = 60
_MISTAKES = 24


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: number of images and their share of the row, 0..1."""

    images: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """Images of one class that were taken for another."""

    truth: str
    answer: str
    images: int
    share: float


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes:
        name: of the image.
        truth: its class.
        answer: the model's.
        probability: that the model gave its answer.
        truth_probability: that it gave the true class.
        source: data URI of the picture; empty when it was not found.
    """

    name: str
    truth: str
    answer: str
    probability: float
    truth_probability: float
    source: str


@dataclass(frozen=True)
class QualityView:
    """What the section shows.

    Attributes:
        classes: figures of each class, lowest recall first; at most 60.
        matrix: rows of the confusion matrix by true class; empty with more than 30 classes.
        labels: of the matrix.
        confusions: the most frequent, when there is no matrix.
        calibration: reliability diagram.
        mistakes: the most confident wrong answers.
        wrong: number of all wrong answers.
        slices: by feature, with `value`, `images` and `accuracy`.
        forgetting: as `components.judge.forgetting.Forgetting`, with at most 60 classes; None
            without an earlier model.
    """

    classes: list[Json]
    matrix: list[list[Cell]]
    labels: tuple[str, ...]
    confusions: list[Confusion]
    calibration: Markup
    mistakes: list[Mistake]
    wrong: int
    slices: list[tuple[str, list[Json]]]
    forgetting: Json | None


def quality_view(found: Artifacts, examples_uri: str | None) -> QualityView | None:
    """Builds the section; None when the model was not judged.

    Args:
        found: what the components left.
        examples_uri: directory of the Examples artifact, for the pictures; None without.
    """
    predictions = found.predictions
    if predictions is None or not found.metrics:
        return None
    quality: Json = found.metrics["quality"]
    small = len(predictions.classes) <= _MOST_MATRIX
    counts = metrics.confusion_matrix(
        predictions.truth, predictions.probabilities.argmax(axis=1), len(predictions.classes)
    )
    by_recall = sorted(
        quality["classes"], key=lambda each: (each["recall"] is None, each["recall"], each["label"])
    )
    return QualityView(
        classes=by_recall[:_MOST_CLASSES],
        matrix=_matrix(counts) if small else [],
        labels=predictions.classes,
        confusions=[] if small else _confusions(counts, predictions.classes),
        calibration=_calibration(found.metrics["calibration"]),
        mistakes=_mistakes(predictions, examples_uri),
        wrong=int((~predictions.right).sum()),
        slices=by_feature(found.metrics["slices"]),
        forgetting=_forgetting(found.metrics.get("forgetting")),
    )


def _forgetting(found: Json | None) -> Json | None:
    return {**found, "classes": found["classes"][:_MOST_CLASSES]} if found else None


def _matrix(counts: metrics.Integers) -> list[list[Cell]]:
    totals = np.maximum(counts.sum(axis=1), 1)
    return [
        [Cell(int(count), float(count / total)) for count in row]
        for row, total in zip(counts, totals, strict=True)
    ]


def _confusions(counts: metrics.Integers, classes: tuple[str, ...]) -> list[Confusion]:
    totals = counts.sum(axis=1)
    wrong = counts * (1 - np.eye(len(classes), dtype=counts.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    cells = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        Confusion(classes[row], classes[column], int(wrong[row, column]), float(share))
        for row, column in cells
        if (share := wrong[row, column] / max(totals[row], 1)) > 0
    ]


def _calibration(bins: list[Json]) -> Markup:
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return line_chart(
        "Accuracy over the probability that the model gave its answer",
        [
            Series("honest", [(0.0, 0.0), (1.0, 1.0)], "quiet"),
            Series("this model", [(each["confidence"], each["accuracy"]) for each in bins]),
        ],
        Axis("probability of the answer", ticks),
        Axis("share that is right", ticks),
    )


def _mistakes(predictions: Predictions, examples_uri: str | None) -> list[Mistake]:
    probabilities, truth = predictions.probabilities, predictions.truth
    answers = probabilities.argmax(axis=1)
    worst = worst_mistakes(predictions, _MISTAKES)
    names = [predictions.names[row] for row in worst]
    found = pictures.named(examples_uri, example_schema.TEST, names) if examples_uri else {}
    return [
        Mistake(
            name=predictions.names[row],
            truth=predictions.labels[row],
            answer=predictions.classes[answers[row]],
            probability=float(probabilities[row, answers[row]]),
            truth_probability=float(probabilities[row, truth[row]]) if truth[row] >= 0 else 0.0,
            source=found.get(predictions.names[row], ""),
        )
        for row in worst
    ]
