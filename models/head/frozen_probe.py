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

from models.head.earlier_head import EarlierHead, EarlierProbe
from models.head.frozen_head import FrozenHead, Solution, fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.history.records import ClassWeights
from models.storage.atomic_write import write_atomically
from models.storage.seals import read_sealed, write_sealed


@dataclass(frozen=True)
class Probe:
    """What the best head answers.

    Attributes:
        validation_accuracy: share of the validation split answered rightly.
        test_accuracy: share of the test split answered rightly; a class that the model does not
            know is answered wrongly. None without test images.
        test_probabilities: float32 [n, k].
        solution: the head.
    """

    validation_accuracy: float
    test_accuracy: float | None
    test_probabilities: NDArray[np.float32]
    solution: Solution


def train_probe(
    task: HeadTask,
    class_weights: ClassWeights,
    test: LabelledEmbeddings,
    fitted: FrozenHead | None = None,
    earlier: EarlierProbe | None = None,
) -> Probe:
    """Fits the head on the frozen backbone and asks it about the test split.

    Args:
        task: training and validation embeddings.
        class_weights: as in the final training.
        test: embeddings of the test split, possibly none.
        fitted: the head, where it was fitted to this task already, from no earlier one.
        earlier: probe of almost the same images, which finds this one sooner; None for none.
    """
    frozen = fitted or fit_frozen_head(task, class_weights, probe=earlier)
    answers = frozen.solution.probabilities(test.embeddings)
    right = answers.argmax(axis=1) == test.classes
    return Probe(
        validation_accuracy=frozen.answers.accuracy,
        test_accuracy=float(right.mean()) if len(right) else None,
        test_probabilities=answers,
        solution=frozen.solution,
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


def write_probe_heads(file: Path, probe: Probe, key: str) -> None:
    """Writes the head itself, and those beside it, for the next training.

    Args:
        file: NumPy archive.
        probe: of `train_probe`.
        key: names the features that it reads; see `models.embedding.artifact.EmbeddingInfo`.
    """
    solution, content = probe.solution, io.BytesIO()
    kernels, biases = zip(*solution.linear.solutions.values(), strict=True)
    np.savez(
        content,
        mean=solution.mean,
        variance=solution.variance,
        strengths=list(solution.linear.solutions),
        kernels=kernels,
        biases=biases,
        strength=solution.linear.strength,
        key=key,
    )
    write_sealed(file, content.getvalue())


def read_probe_heads(file: Path, key: str) -> EarlierProbe | None:
    """Reads what `write_probe_heads` wrote; None where that is missing, damaged or of others.

    Args:
        file: NumPy archive.
        key: names the features that it has to read.
    """
    content = read_sealed(file)
    if content is None:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if str(arrays["key"]) != key:
            return None
        mean, variance = arrays["mean"], arrays["variance"]
        heads = {
            strength: EarlierHead(mean, variance, kernel, bias)
            for strength, kernel, bias in zip(
                arrays["strengths"].tolist(), arrays["kernels"], arrays["biases"], strict=True
            )
        }
        return EarlierProbe(heads, float(arrays["strength"]))
