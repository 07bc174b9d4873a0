"""Which of two models is more accurate, by what they answer to the same validation images.

The share of right answers alone says little: on 60 images one model is ahead by one image for no
reason at all. The log loss uses every image, but a model that is too sure of itself loses by it
without answering anything worse; a temperature for its logits (`models.temperature`) takes that
away. What is left of the difference of two losses, in nats, foretells about a third of it as a
difference of accuracies. Both witnesses are weighed by their precision: the accuracy counts by the
number of images.

Choosing by this between two of seven heads lost 0.34, 0.16, 0.09 and 0.07 points of test accuracy
(40, 80, 160 and 400 validation images, four data sets), by the share of right answers 0.61, 0.34,
0.20 and 0.11, by the plain log loss 0.32, 0.25, 0.21 and 0.20 (`benchmarks/quality/evidence.py`).
The slope, by least squares over such pairs, was 0.33 to 0.40.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, ndtr

from models.temperature import best_temperature

_SLOPE: Final = 1 / 3
"""Accuracy that a nat of calibrated log loss is worth."""
_SLOPE_ERROR: Final = 0.007
"""Standard error of an accuracy that is foretold by it."""
_USUAL_DIFFERENCE: Final = 0.05
"""Share of the images on which only one of two models of a search is right."""


@dataclass(frozen=True)
class Answers:
    """What a model answers to some images.

    Attributes:
        right: bool [n].
        losses: float64 [n], the log loss of each in nats, at the best temperature for all.
    """

    right: NDArray[np.bool_]
    losses: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())

    @property
    def expected_accuracy(self) -> float:
        """The accuracy to expect on other images, to compare many models by; at most 1."""
        weight = _weight_of_losses(_USUAL_DIFFERENCE / len(self.right))
        return 1.0 - (1.0 - weight) * (1.0 - self.accuracy) - weight * _SLOPE * self.losses.mean()


@dataclass(frozen=True)
class Comparison:
    """One model beside another.

    Attributes:
        gain: by how much it is expected to be more accurate; negative where it is less.
        error: standard error of that.
    """

    gain: float
    error: float

    @property
    def confidence(self) -> float:
        """Probability that it is more accurate, 0..1."""
        return float(ndtr(self.gain / self.error))

    def __str__(self) -> str:
        sure = max(self.confidence, 1.0 - self.confidence)
        words = f"{sure:.0%}" if sure < 0.99 else "over 99%"
        return f"by an expected {100 * abs(self.gain):.1f} points of accuracy ({words} sure)"


def answers_of(logits: NDArray[np.floating], classes: NDArray[np.integer]) -> Answers:
    """Judges a model's answers.

    Args:
        logits: finite, [n, k], n at least 1.
        classes: right ones, int [n].
    """
    exact = np.asarray(logits, np.float64) / best_temperature(logits, classes)
    losses = -log_softmax(exact, axis=1)[np.arange(len(exact)), classes]
    return Answers(exact.argmax(axis=1) == classes, losses)


def in_figures(one: Answers, other: Answers, images: str = "validation images") -> str:
    """Right answers of two models in words; the log losses too, where these decide otherwise.

    Args:
        one: of a model.
        other: of another one, to the same images in the same order.
        images: what they are, in words.
    """
    words = f"{one.accuracy:.1%} of {images} against {other.accuracy:.1%}"
    if (one.accuracy - other.accuracy) * compare(one, other).gain >= 0.0:
        return words
    losses = f"{one.losses.mean():.2f} against {other.losses.mean():.2f}"
    return f"{words}, but with a log loss of {losses}"


def log_loss(logits: NDArray[np.floating], classes: NDArray[np.integer]) -> float:
    """Mean log loss in nats of logits [n, k], as they are, against classes int [n]."""
    return float(-log_softmax(logits, axis=1)[np.arange(len(classes)), classes].mean())


def compare(one: Answers, other: Answers) -> Comparison:
    """How much more accurate one model is than another.

    Args:
        one: of a model.
        other: of another one, to the same images in the same order.
    """
    images = len(one.right)
    right = one.right.astype(np.float64) - other.right
    losses = other.losses - one.losses
    variance = (np.count_nonzero(right) + 1) / images**2
    weight = _weight_of_losses(variance)
    mixed = (1.0 - weight) * right + weight * _SLOPE * losses
    spread = mixed.var() / images + (1.0 - weight) / images**2
    error = math.sqrt(spread + (weight * _SLOPE_ERROR) ** 2)
    return Comparison(float(mixed.mean()), error)


def _weight_of_losses(variance: float) -> float:
    """Of 0..1, for a difference of accuracies that has a variance."""
    return variance / (variance + _SLOPE_ERROR**2)
