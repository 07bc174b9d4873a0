"""What an exported model answers on a split, and the file that keeps it."""

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import metrics, progress
from models.errors import GraftError
from models.examples import read_records

FILE_NAME = "predictions.npz"
"""Arrays `names`, `labels` (true class names), `classes` and `probabilities`."""
_BATCH = 32


@dataclass(frozen=True)
class Predictions:
    """Answers of one model.

    Attributes:
        names: names of the images, n of them.
        labels: their true class names, n of them.
        classes: the model's class names in the order of its outputs, k of them.
        probabilities: float32 [n, k].
    """

    names: list[str]
    labels: list[str]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]

    @property
    def truth(self) -> metrics.Integers:
        """Class indices of the labels, int [n]; -1 for a class that the model lacks."""
        return metrics.class_indices(self.labels, self.classes)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image is answered rightly, bool [n]."""
        return metrics.is_right(self.truth, self.probabilities)


def predict_split(model_uri: str, examples_uri: str, split: str) -> Predictions:
    """Asks the exported model, through its serving signature, for every image of a split.

    Args:
        model_uri: directory of a Model artifact.
        examples_uri: directory of an Examples artifact.
        split: name of the split.

    Returns:
        The answers, in the order of the files.

    Raises:
        GraftError: the model has no `serving_default` signature or no class names.
    """
    directory = Path(model_uri) / "Format-Serving"
    classes = model_classes(model_uri)
    # Keeps the loaded object: its signatures hold variables only weakly.
    loaded = tf.saved_model.load(str(directory))
    if "serving_default" not in loaded.signatures:
        raise GraftError(f"The model in {directory} has no signature serving_default.")
    signature = loaded.signatures["serving_default"]
    records = read_records(examples_uri, split)
    names: list[str] = []
    labels: list[str] = []
    answers: list[NDArray[np.float32]] = []
    while batch := list(islice(records, _BATCH)):
        outputs = signature(image_bytes=tf.constant([record.image for record in batch]))
        answers.append(outputs["probabilities"].numpy())
        names += [record.name for record in batch]
        labels += [record.label for record in batch]
        progress.report(len(names), None, "images", "judging")
    none = np.zeros((0, len(classes)), np.float32)
    return Predictions(names, labels, classes, np.concatenate([none, *answers]))


def model_classes(model_uri: str) -> tuple[str, ...]:
    """Reads a model's class names, in the order of its outputs.

    Raises:
        GraftError: the model does not say them.
    """
    path = Path(model_uri) / "Format-Serving" / "assets.extra" / "graft.json"
    try:
        return tuple(json.loads(path.read_text("utf-8"))["labels"])
    except (OSError, ValueError, KeyError) as error:
        raise GraftError(f"The model does not name its classes: {path} ({error}).") from error


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Writes `predictions` as a compressed NumPy archive."""
    np.savez_compressed(
        path,
        names=np.array(predictions.names, str),
        labels=np.array(predictions.labels, str),
        classes=np.array(predictions.classes, str),
        probabilities=predictions.probabilities,
    )


def load_predictions(path: Path) -> Predictions:
    """Reads what `save_predictions` wrote."""
    with np.load(path) as arrays:
        return Predictions(
            names=_texts(arrays["names"]),
            labels=_texts(arrays["labels"]),
            classes=tuple(_texts(arrays["classes"])),
            probabilities=arrays["probabilities"],
        )


def _texts(array: NDArray[Any]) -> list[str]:
    return [str(value) for value in array]
