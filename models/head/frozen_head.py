"""The head on the frozen backbone: what fine-tuning starts from, and must be better than.

A linear head, solved to its optimum (`models.head.linear_head`): one hyperparameter, seconds, and
no luck of a seed in it.
"""

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.head.earlier_head import EarlierHead, EarlierProbe
from models.head.evidence import Answers
from models.head.head_model import build_head, standardised, statistics
from models.head.labelled_embeddings import HeadTask
from models.head.linear_head import DRAWN_STRENGTHS, STRENGTHS, LinearHead, Near, fit_linear
from models.history.records import ClassWeights


@dataclass(frozen=True)
class FrozenHead:
    """A head.

    Attributes:
        model: from raw embeddings [n, d] to logits [n, k].
        answers: to the validation images.
        train_loss: mean log loss of the training images, in nats.
        validation_loss: mean log loss of the validation images, in nats, as it is.
        strength: of its penalty.
        solution: the same head, which stays as it was found whatever becomes of the model.
        earlier: head that it was drawn to; None for none.
    """

    model: keras.Model
    answers: Answers
    train_loss: float
    validation_loss: float
    strength: float
    solution: "Solution"
    earlier: EarlierHead | None = None


@dataclass(frozen=True)
class Solution:
    """A head as numbers.

    Attributes:
        mean: of the training embeddings, float32 [d].
        variance: of the training embeddings, float32 [d].
        linear: on standardised embeddings.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    linear: LinearHead

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities float32 [n, k]; n may be 0."""
        rows = standardised(embeddings, self.mean, self.variance)
        logits = rows @ self.linear.kernel + self.linear.bias
        return np.asarray(softmax(logits, axis=1), np.float32)


def fit_frozen_head(
    task: HeadTask,
    class_weights: ClassWeights = "none",
    earlier: EarlierHead | None = None,
    probe: EarlierProbe | None = None,
) -> FrozenHead:
    """Fits the linear head with the least log loss on the validation images.

    Args:
        task: training and validation embeddings.
        class_weights: see `HeadTask.class_weights`.
        earlier: head on the same features, for the same classes, that the new one is drawn to; None
            for none.
        probe: of an earlier training on the same features and classes, which the head is looked for
            beside; None for none.
    """
    mean, variance = (
        (earlier.mean, earlier.variance) if earlier else statistics(task.train.embeddings)
    )
    train, validation = (
        standardised(split.embeddings, mean, variance) for split in (task.train, task.validation)
    )
    linear = fit_linear(
        train,
        task.train.classes,
        validation,
        task.validation.classes,
        task.class_weights(class_weights),
        DRAWN_STRENGTHS if earlier else STRENGTHS,
        start=earlier.start(class_weights) if earlier else None,
        near=_near(probe, mean, variance) if probe else None,
    )
    model = build_head(len(mean), task.classes, mean=mean, variance=variance)
    model.get_layer("logits").set_weights([linear.kernel, linear.bias])
    return FrozenHead(
        model=model,
        answers=linear.answers,
        train_loss=linear.train_loss,
        validation_loss=linear.validation_loss,
        strength=linear.strength,
        solution=Solution(mean, variance, linear),
        earlier=earlier,
    )


def _near(probe: EarlierProbe, mean: NDArray[np.float32], variance: NDArray[np.float32]) -> Near:
    heads = {strength: head.on(mean, variance) for strength, head in probe.heads.items()}
    return Near(heads, probe.strength)
