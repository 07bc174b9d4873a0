"""The probe: the best head on the frozen backbone, a cheap baseline for the final model.

A final model that answers worse than the probe has lost by fine-tuning: negative transfer.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.frozen_head import train_frozen_head
from models.head.head_trainer import HeadTrainer, probabilities
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import LabelledEmbeddings
from models.history.tuning_history import TuningHistory
from models.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class Probe:
    """The best head and what it answers.

    Attributes:
        head: from raw embeddings [n, d] to logits [n, k].
        parameters: that it was trained with.
        validation_accuracy: share of the validation split answered rightly.
        test_accuracy: share of the test split answered rightly; a class that the model does not
            know is answered wrongly. None without test images.
        test_probabilities: float32 [n, k].
    """

    head: keras.Model
    parameters: HeadParameters
    validation_accuracy: float
    test_accuracy: float | None
    test_probabilities: NDArray[np.float32]


def train_probe(trainer: HeadTrainer, history: TuningHistory, test: LabelledEmbeddings) -> Probe:
    """Trains the head on the frozen backbone and asks it about the test split.

    Args:
        trainer: that the search used.
        history: of the search, with at least one completed trial.
        test: embeddings of the test split, possibly none.

    Raises:
        ValueError: no trial completed, or another tuner made the search.
    """
    best, search = history.best, history.header.search
    if best is None:
        raise ValueError("a search without a completed trial has no best head")
    if search.subject == "other":
        raise ValueError("a search of another tuner has no best head")
    parameters = HeadParameters.from_values(dict(best.values))
    frozen = train_frozen_head(
        trainer, parameters, epochs=search.epochs, patience=search.patience, seed=search.seed
    )
    answers = probabilities(frozen.model, test.embeddings)
    right = answers.argmax(axis=1) == test.classes
    return Probe(
        head=frozen.model,
        parameters=frozen.parameters,
        validation_accuracy=frozen.answers.accuracy,
        test_accuracy=float(right.mean()) if len(right) else None,
        test_probabilities=answers,
    )


def write_probe(figures: Path, answers: Path, probe: Probe, test_names: Sequence[str]) -> None:
    """Writes the two files.

    Args:
        figures: JSON: `validation_accuracy`, `test_accuracy` (null without test images),
            `hyperparameters` (name to value).
        answers: NumPy archive of the test split: `names` (str [n]) and `probabilities`
            (float32 [n, k], columns in the order of the labels).
        probe: of `train_probe`.
        test_names: names of the test images, in the order of the probabilities.
    """
    values = {
        "validation_accuracy": probe.validation_accuracy,
        "test_accuracy": probe.test_accuracy,
        "hyperparameters": probe.parameters.to_values(),
    }
    content = io.BytesIO()
    np.savez_compressed(
        content, names=np.array(test_names, np.str_), probabilities=probe.test_probabilities
    )
    write_atomically(answers, content.getvalue())
    write_atomically(figures, json.dumps(values, indent=2).encode())
