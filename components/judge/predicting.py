"""What an exported model answers on a split."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.artifact_names import SERVING_FOLDER
from components.judge.prediction_file import Predictions
from models import progress
from models.data.example_reader import read_records
from models.errors import GraftError
from models.storage.seals import DESCRIPTION

_BATCH = 32


def predict_split(model_uri: str, examples_uri: str, split: str) -> Predictions:
    """Asks the exported model, through its serving signature, for every image of a split.

    Args:
        model_uri: directory of a Model artifact.
        examples_uri: directory of an Examples artifact.
        split: name of the split.

    Returns:
        The answers, in the order of the files.

    Raises:
        GraftError: the model has no `serving_default` signature or no class names, or answers
            with what is no number.
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
    probabilities = np.concatenate([none, *answers])
    broken = ~np.isfinite(probabilities).all(axis=1)
    if broken.any():
        raise GraftError(
            f"The model answers {int(broken.sum())} of {len(names)} images, such as "
            f"{names[int(broken.argmax())]!r}, with what is no number: its training diverged. "
            "Lower training.learning_rate or the range of tuning.learning_rate."
        )
    return Predictions(names, labels, classes, probabilities)


def model_classes(model_uri: str) -> tuple[str, ...]:
    """Reads a model's class names, in the order of its outputs.

    Raises:
        GraftError: the model does not say them.
    """
    path = Path(model_uri) / SERVING_FOLDER / DESCRIPTION
    try:
        return tuple(json.loads(path.read_text("utf-8"))["labels"])
    except (OSError, ValueError, KeyError) as error:
        raise GraftError(f"The model does not name its classes: {path} ({error}).") from error
