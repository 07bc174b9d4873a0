"""What an exported model answers on a split."""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.artifact_names import SERVING_FOLDER
from components.judge.prediction_file import Predictions
from models import progress
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec
from models.errors import GraftError
from models.storage.seals import DESCRIPTION

_BATCH = 32


class ExportedModel:
    """An exported model, loaded.

    Attributes:
        classes: its class names, k of them, in the order of its outputs.
        spec: the square that its images become; None where it does not say.
    """

    def __init__(self, uri: str) -> None:
        """Loads the model of a Model artifact, by the artifact's directory.

        Raises:
            GraftError: it does not name its classes.
        """
        described = _description(uri)
        self.classes = tuple(described["labels"])
        size = described.get("image_size")
        self.spec = ImageSpec(size, described.get("resize", "stretch")) if size else None
        self._directory = Path(uri) / SERVING_FOLDER
        # Keeps the loaded object: its signatures hold variables only weakly.
        self._loaded: Any = tf.saved_model.load(str(self._directory))

    def has(self, signature: str) -> bool:
        """Whether it has a signature of that name."""
        return signature in self._loaded.signatures

    def signature(self, name: str) -> Any:
        """A signature, to be called with tensors.

        Raises:
            GraftError: it has none of that name.
        """
        if not self.has(name):
            raise GraftError(f"The model in {self._directory} has no signature {name}.")
        return self._loaded.signatures[name]

    def answer(self, images: Sequence[bytes]) -> NDArray[np.float32]:
        """What it answers through its serving signature.

        Args:
            images: encoded, n of them.

        Returns:
            Probabilities, float32 [n, k].

        Raises:
            GraftError: it has no `serving_default` signature.
        """
        signature = self.signature("serving_default")
        none = np.zeros((0, len(self.classes)), np.float32)
        parts = [
            signature(image_bytes=tf.constant(images[at : at + _BATCH]))["probabilities"].numpy()
            for at in range(0, len(images), _BATCH)
        ]
        return np.concatenate([none, *parts])


def predict_split(model: ExportedModel, examples_uri: str, split: str) -> Predictions:
    """Asks the exported model, through its serving signature, for every image of a split.

    Args:
        model: to ask.
        examples_uri: directory of an Examples artifact.
        split: name of the split.

    Returns:
        The answers, in the order of the files.

    Raises:
        GraftError: the model has no `serving_default` signature, or answers with what is no
            number.
    """
    records = read_records(examples_uri, split)
    names: list[str] = []
    labels: list[str] = []
    answers = [model.answer([])]
    while batch := list(islice(records, _BATCH)):
        answers.append(model.answer([record.image for record in batch]))
        names += [record.name for record in batch]
        labels += [record.label for record in batch]
        progress.report(len(names), None, "images", "judging")
    probabilities = np.concatenate(answers)
    broken = ~np.isfinite(probabilities).all(axis=1)
    if broken.any():
        raise GraftError(
            f"The model answers {int(broken.sum())} of {len(names)} images, such as "
            f"{names[int(broken.argmax())]!r}, with what is no number: its training diverged. "
            "Lower training.learning_rate or the range of tuning.learning_rate."
        )
    return Predictions(names, labels, model.classes, probabilities)


def model_classes(model_uri: str) -> tuple[str, ...]:
    """Reads a model's class names, in the order of its outputs.

    Raises:
        GraftError: the model does not say them.
    """
    return tuple(_description(model_uri)["labels"])


def _description(model_uri: str) -> dict[str, Any]:
    path = Path(model_uri) / SERVING_FOLDER / DESCRIPTION
    try:
        described: dict[str, Any] = json.loads(path.read_text("utf-8"))
        described["labels"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GraftError(f"The model does not name its classes: {path} ({error}).") from error
    return described
