"""Where in some test images the model saw its answer: asked for, written and read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.exported_models.exported_model import ExportedModel
from components.judge.prediction_file import Predictions
from models.data import example_schema
from models.data.example_reader import read_records

EXPLANATIONS_FILE: Final = "explanations.npz"
MISTAKES: Final = 12
"""Most wrong answers that are explained."""
RIGHT: Final = 6
"""Most right ones."""
_SIGNATURE: Final = "explained"


@dataclass(frozen=True)
class Explanation:
    """Of the answer to one image.

    Attributes:
        name: of the image.
        truth: its class.
        answer: the model's.
        probability: that the model gave its answer.
        truth_probability: that it gave the true class; 0 for a class that it does not know.
        seen: JPEG of the square that the model saw.
        for_answer: float32 [g, g] in 0..1, over the square: how much each place speaks for the
            answer.
        for_truth: likewise for the true class; None where that is the answer, or not known.
    """

    name: str
    truth: str
    answer: str
    probability: float
    truth_probability: float
    seen: bytes
    for_answer: NDArray[np.float32]
    for_truth: NDArray[np.float32] | None

    @property
    def is_right(self) -> bool:
        """Whether the answer is the true class."""
        return self.truth == self.answer


def worst_mistakes(predictions: Predictions, most: int) -> list[int]:
    """Rows of the wrong answers with the highest probabilities, highest first."""
    order = np.argsort(-predictions.probabilities.max(axis=1), kind="stable")
    return [int(row) for row in order if not predictions.right[row]][:most]


def _surest_of_classes(predictions: Predictions, most: int) -> list[int]:
    """Rows of the right answers with the highest probabilities, one a class."""
    order = np.argsort(-predictions.probabilities.max(axis=1), kind="stable")
    surest: dict[str, int] = {}
    for row in order:
        if predictions.right[row]:
            surest.setdefault(predictions.labels[row], int(row))
    return list(surest.values())[:most]


def explain(model: ExportedModel, predictions: Predictions, examples_uri: str) -> list[Explanation]:
    """Asks the model where it saw what it answered.

    Args:
        model: that was judged.
        predictions: its answers to the test split.
        examples_uri: directory of the Examples artifact.

    Returns:
        The worst mistakes, then some right answers; none where the model cannot be explained.
    """
    if not model.has(_SIGNATURE):
        return []
    rows = worst_mistakes(predictions, MISTAKES) + _surest_of_classes(predictions, RIGHT)
    images = _images(examples_uri, {predictions.names[row] for row in rows})
    rows = [row for row in rows if predictions.names[row] in images]
    if not rows:
        return []
    encoded = [images[predictions.names[row]] for row in rows]
    answers, truth = predictions.probabilities.argmax(axis=1)[rows], predictions.truth[rows]
    for_answer, seen = _asked(model, encoded, answers)
    for_truth, _ = _asked(model, encoded, np.where(truth < 0, answers, truth))
    return [
        Explanation(
            name=predictions.names[row],
            truth=predictions.labels[row],
            answer=predictions.classes[answers[place]],
            probability=float(predictions.probabilities[row].max()),
            truth_probability=_probability(predictions, row),
            seen=seen[place],
            for_answer=for_answer[place],
            for_truth=None if truth[place] in (-1, answers[place]) else for_truth[place],
        )
        for place, row in enumerate(rows)
    ]


def _probability(predictions: Predictions, row: int) -> float:
    truth = predictions.truth[row]
    return float(predictions.probabilities[row, truth]) if truth >= 0 else 0.0


def _images(examples_uri: str, names: set[str]) -> dict[str, bytes]:
    records = read_records(examples_uri, example_schema.TEST)
    return {record.name: record.image for record in records if record.name in names}


def _asked(
    model: ExportedModel, images: list[bytes], classes: NDArray[np.integer]
) -> tuple[NDArray[np.float32], list[bytes]]:
    """Heat float32 [n, g, g] for a class of each image, and the squares that were seen."""
    outputs = model.signature(_SIGNATURE)(
        image_bytes=tf.constant(images), class_id=tf.constant(classes, tf.int64)
    )
    return outputs["heat"].numpy(), list(outputs["seen_bytes"].numpy())


def save_explanations(path: Path, explanations: Iterable[Explanation]) -> None:
    """Writes a compressed NumPy archive; heat is kept in steps of 1/255."""
    found = list(explanations)
    maps = [each.for_answer for each in found]
    others = [np.zeros_like(each.for_answer) if each.for_truth is None else each.for_truth
              for each in found]  # fmt: skip
    np.savez_compressed(
        path,
        names=np.array([each.name for each in found], str),
        truths=np.array([each.truth for each in found], str),
        answers=np.array([each.answer for each in found], str),
        probabilities=np.array([(each.probability, each.truth_probability) for each in found]),
        seen=np.frombuffer(b"".join(each.seen for each in found), np.uint8),
        lengths=np.array([len(each.seen) for each in found], np.int64),
        heat=np.rint(255 * np.array([maps, others])).astype(np.uint8),
        has_truth=np.array([each.for_truth is not None for each in found], bool),
    )


def load_explanations(path: Path) -> list[Explanation]:
    """Reads what `save_explanations` wrote."""
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    ends = np.cumsum(kept["lengths"])
    heat = kept["heat"].astype(np.float32) / 255
    return [
        Explanation(
            name=str(name),
            truth=str(kept["truths"][row]),
            answer=str(kept["answers"][row]),
            probability=float(kept["probabilities"][row, 0]),
            truth_probability=float(kept["probabilities"][row, 1]),
            seen=kept["seen"][ends[row] - kept["lengths"][row] : ends[row]].tobytes(),
            for_answer=heat[0, row],
            for_truth=heat[1, row] if kept["has_truth"][row] else None,
        )
        for row, name in enumerate(kept["names"])
    ]
