"""The head of an earlier model, as what the head of the next one begins from.

The next head is drawn towards the earlier one, as far as that pays on the validation images, and
not towards zero: what was learned from images that are gone stays, where the new ones say nothing
against it (X. Li et al., "Explicit Inductive Bias for Transfer Learning with Convolutional
Networks", ICML 2018: the penalty L2-SP). So are its biases: a few images would move them far, by
how many there are of each class (`benchmarks/strategies/continual.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.errors import UsageError
from models.head.head_model import HEAD, standardised
from models.head.softmax_problem import Start
from models.history.records import ClassWeights

Floats = NDArray[np.float32]

_KEPT: Final = 1000.0
"""Price of a step of the bias at which it stays where it is."""


@dataclass(frozen=True)
class EarlierHead:
    """A linear head on standardised features.

    Attributes:
        mean: of the features, float32 [d].
        variance: of the features, float32 [d].
        kernel: float32 [d, k].
        bias: float32 [k].
    """

    mean: Floats
    variance: Floats
    kernel: Floats
    bias: Floats

    def start(self, class_weights: ClassWeights) -> Start:
        """The same head, for the next one to be drawn to.

        Args:
            class_weights: of the next one. Where classes matter alike, how many images there are of
                each says nothing, as where some are replayed, and the biases stay.
        """
        return Start(self.kernel, self.bias, _KEPT if class_weights == "balanced" else 1.0)

    @property
    def knows(self) -> NDArray[np.bool_]:
        """Of each class whether it has weights, bool [k]."""
        return np.asarray(self.kernel.any(axis=0))

    def for_classes(
        self, old: Sequence[str], new: Sequence[str], renamed: Mapping[str, str]
    ) -> "EarlierHead":
        """The same head for other classes; one that it does not know has no weights.

        Args:
            old: its classes, k of them, in the order of its outputs.
            new: the classes wanted, in their order.
            renamed: old name of a class to its new one.
        """
        place = {renamed.get(label, label): index for index, label in enumerate(old)}
        kernel = np.zeros((len(self.mean), len(new)), np.float32)
        bias = np.zeros(len(new), np.float32)
        for index, label in enumerate(new):
            if label in place:
                kernel[:, index] = self.kernel[:, place[label]]
                bias[index] = self.bias[place[label]]
        return EarlierHead(self.mean, self.variance, kernel, bias)

    def on(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Kernel and bias of the same head for features that are standardised otherwise.

        Args:
            mean: of `models.head.head_model.statistics`, float32 [d].
            variance: likewise.
        """
        origin, one = np.zeros((1, len(mean)), np.float32), np.ones((1, len(mean)), np.float32)
        scale = standardised(one, origin[0], self.variance) / standardised(one, origin[0], variance)
        shift = standardised(mean[None], self.mean, self.variance)
        return scale.T * self.kernel, self.bias + (shift @ self.kernel)[0]


@dataclass(frozen=True)
class EarlierProbe:
    """The best head of an earlier training on the frozen backbone, and how it was found.

    Attributes:
        heads: drawn to no other, by the strength of their penalty.
        strength: of the best one.
    """

    heads: Mapping[float, EarlierHead]
    strength: float

    def for_classes(
        self, old: Sequence[str], new: Sequence[str], renamed: Mapping[str, str]
    ) -> "EarlierProbe":
        """The same for other classes, as `EarlierHead.for_classes` has it."""
        heads = {key: head.for_classes(old, new, renamed) for key, head in self.heads.items()}
        return EarlierProbe(heads, self.strength)


def head_of(model: keras.Model) -> EarlierHead:
    """Reads the head of a classifier that Graft trained, or one that is alone.

    Raises:
        UsageError: it has none of the kind.
    """
    try:
        head = model if model.name == HEAD else model.get_layer(HEAD)
        standardisation, logits = head.get_layer("standardisation"), head.get_layer("logits")
        kernel, bias = logits.get_weights()
        mean, variance = standardisation.get_weights()
    except (ValueError, AttributeError) as error:
        raise UsageError(
            f"The earlier model has no head to begin from ({error}). Set training.start: "
            "pretrained."
        ) from error
    return EarlierHead(mean, variance, kernel, bias)
