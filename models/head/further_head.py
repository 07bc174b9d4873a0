"""A head for a further label column, on the backbone that was trained for the first one.

Fitted when that training is over, so that it changes nothing of the first column's model: the
backbone runs once for all columns. Trained together, two columns were no better
(`benchmarks/strategies/multi_task.py`).
"""

from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.calibration import Calibration, calibration
from models.head.frozen_head import fit_frozen_head
from models.head.head_model import divide_logits
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.refit import refitted
from models.history.records import ClassWeights
from models.metrics import class_indices


@dataclass(frozen=True)
class FurtherHead:
    """A head for one column.

    Attributes:
        column: its name.
        labels: class names in the order of the outputs, k of them.
        model: from raw embeddings [n, d] to logits [n, k], divided by the temperature.
        training_images: that have a label in the column.
        validation_images: likewise.
        validation_accuracy: of the head before it was fitted to the validation images too.
        calibration: what the temperature does.
        refitted_images: training and validation images that it was fitted to once more in the end;
            0 where it was not.
    """

    column: str
    labels: tuple[str, ...]
    model: keras.Model
    training_images: int
    validation_images: int
    validation_accuracy: float
    calibration: Calibration
    refitted_images: int = 0

    def to_values(self) -> dict[str, Any]:
        """What `training.json` says of it."""
        return {
            "column": self.column,
            "classes": len(self.labels),
            "training_images": self.training_images,
            "validation_images": self.validation_images,
            "validation_accuracy": self.validation_accuracy,
            "calibration": asdict(self.calibration),
            "refitted_images": self.refitted_images,
        }


@dataclass(frozen=True)
class ColumnLabels:
    """What a column says of the images of one split.

    Attributes:
        embeddings: of all of them, float32 [n, d].
        labels: class names, empty where an image has none, str [n].
    """

    embeddings: NDArray[np.float32]
    labels: list[str]

    def of(self, classes: tuple[str, ...]) -> LabelledEmbeddings:
        """The images that are of one of some classes."""
        return LabelledEmbeddings(self.embeddings, class_indices(self.labels, classes)).known()


def fit_further_head(
    column: str,
    train: ColumnLabels,
    validation: ColumnLabels,
    class_weights: ClassWeights = "none",
    *,
    refit_images: int = 0,
) -> FurtherHead:
    """Fits the linear head with the least log loss on the validation images, and calibrates it.

    Args:
        column: its name.
        train: its classes are those that the head knows, in alphabetical order.
        validation: of the same embeddings.
        class_weights: see `HeadTask.class_weights`.
        refit_images: it learns from the validation images too in the end (`models.head.refit`),
            where it has at most so many labelled images in all.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    labels = tuple(sorted(set(train.labels) - {""}))
    task = HeadTask(train.of(labels), validation.of(labels), len(labels))
    head = fit_frozen_head(task, class_weights)
    logits = head.model.predict(task.validation.embeddings, verbose=0)
    found = calibration(logits, task.validation.classes)
    images = len(task.train.classes) + len(task.validation.classes)
    refits = images <= refit_images
    model = refitted(head, task, class_weights) if refits else head.model
    divide_logits(model, found.temperature)
    return FurtherHead(
        column=column,
        labels=labels,
        model=model,
        training_images=len(task.train.classes),
        validation_images=len(task.validation.classes),
        validation_accuracy=head.answers.accuracy,
        calibration=found,
        refitted_images=images if refits else 0,
    )
