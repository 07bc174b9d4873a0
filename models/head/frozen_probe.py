"""The probe: the best head on the frozen backbone, a cheap baseline for the final model.

A final model that answers worse than the probe has lost by fine-tuning: negative transfer.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.head.frozen_head import FrozenHead, fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.history.records import ClassWeights
from models.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class Probe:
    """What the best head answers.

    Attributes:
        validation_accuracy: share of the validation split answered rightly.
        test_accuracy: share of the test split answered rightly; a class that the model does not
            know is answered wrongly. None without test images.
        test_probabilities: float32 [n, k].
    """

    validation_accuracy: float
    test_accuracy: float | None
    test_probabilities: NDArray[np.float32]


def train_probe(
    task: HeadTask,
    class_weights: ClassWeights,
    test: LabelledEmbeddings,
    fitted: FrozenHead | None = None,
) -> Probe:
    """Fits the head on the frozen backbone and asks it about the test split.

    Args:
        task: training and validation embeddings.
        class_weights: as in the final training.
        test: embeddings of the test split, possibly none.
        fitted: the head, where it was fitted to this task already, from no earlier one.
    """
    frozen = fitted or fit_frozen_head(task, class_weights)
    answers = frozen.solution.probabilities(test.embeddings)
    right = answers.argmax(axis=1) == test.classes
    return Probe(
        validation_accuracy=frozen.answers.accuracy,
        test_accuracy=float(right.mean()) if len(right) else None,
        test_probabilities=answers,
    )


def write_probe(figures: Path, answers: Path, probe: Probe, test_names: Sequence[str]) -> None:
    """Writes the two files.

    Args:
        figures: JSON: `validation_accuracy`, `test_accuracy` (null without test images).
        answers: NumPy archive of the test split: `names` (str [n]) and `probabilities`
            (float32 [n, k], columns in the order of the labels).
        probe: of `train_probe`.
        test_names: names of the test images, in the order of the probabilities.
    """
    values = {
        "validation_accuracy": probe.validation_accuracy,
        "test_accuracy": probe.test_accuracy,
    }
    content = io.BytesIO()
    np.savez_compressed(
        content, names=np.array(test_names, np.str_), probabilities=probe.test_probabilities
    )
    write_atomically(answers, content.getvalue())
    write_atomically(figures, json.dumps(values, indent=2).encode())
