"""Another domain: what its images differ by, as one step in the space of the features.

A new camera or scanner moves all images alike, as far as the backbone sees it. The step is the
difference of the means (B. Gong et al. and others match more than these; a covariance of thousands
of features is beyond a few hundred images). The means differ too where the classes have other
shares, so the shares of the target are estimated with the step, in turns, as by M. Saerens et al.,
"Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002.
"""

from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.head_model import standardised, statistics
from models.head.labelled_embeddings import HeadTask

_ROUNDS: Final = 10
_LEAST_LENGTH: Final = 0.7
"""Of a step that is taken. Steps of 0.2 to 0.6 cost up to 8 points, such as those of clothing that
is grey, blurred or compressed; steps of 0.8 to 1.2 gained 3 to 27, such as those of grey or blurred
hand signs (`benchmarks/strategies/run.py`)."""


@dataclass(frozen=True)
class Shift:
    """What a target differs by.

    Attributes:
        vector: float32 [d], to be taken off the features of its images.
        length: root mean square of it, in standard deviations of the features.
        shares: of the classes in the target, as they are estimated, float64 [k].
    """

    vector: NDArray[np.float32]
    length: float
    shares: NDArray[np.float64]

    @property
    def is_large(self) -> bool:
        """Whether it is worth undoing."""
        return self.length >= _LEAST_LENGTH


def find_shift(task: HeadTask, head: keras.Model, target: NDArray[np.float32]) -> Shift:
    """Estimates the step and the shares of the classes, in turns.

    Args:
        task: the labelled images.
        head: from embeddings to logits.
        target: embeddings float32 [m, d] of images without labels, m at least 1.
    """
    train = task.train
    counts = np.maximum(np.bincount(train.classes, minlength=task.classes), 1)
    means = np.eye(task.classes)[train.classes].T @ train.embeddings / counts[:, None]
    mean = target.mean(axis=0, dtype=np.float64)
    vector = np.zeros(len(mean))
    for _ in range(_ROUNDS):
        moved = (target - vector).astype(np.float32)
        logits = head.predict(moved, batch_size=1024, verbose=0)
        shares = np.asarray(keras.ops.softmax(logits)).mean(axis=0, dtype=np.float64)
        vector = mean - shares @ means
    step = vector.astype(np.float32)
    center, variance = statistics(train.embeddings)
    scaled = standardised(np.stack([center + step]), center, variance)
    return Shift(step, float(np.sqrt((scaled**2).mean())), shares)
