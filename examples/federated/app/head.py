"""The head that the sites train: multinomial logistic regression, in NumPy alone.

Both environments use it: Flower's, in which the sites train, and Graft's, which compares. All that
a site sends is a `Head` and its number of images: first the moments of its features, of which the
average over all sites is the standardisation, then its weights.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STRENGTH = 1e-4
"""Of the penalty on half the squared norm of the kernel."""
_RATE = 5.0
_VARIANCE_FLOOR = 0.1  # as in models/head/head_model.py

Floats = NDArray[np.float64]


class Head(NamedTuple):
    """What is averaged, each array weighted by the number of images that it comes from.

    Attributes:
        mean: of each feature, [d].
        square: mean of the square of each feature, [d].
        kernel: [d, k], for standardised features.
        bias: [k].
    """

    mean: Floats
    square: Floats
    kernel: Floats
    bias: Floats


def moments(features: Floats, classes: int) -> Head:
    """The first that a site sends: what it adds to the standardisation, and weights of zero.

    Args:
        features: [n, d] of its images.
        classes: number of classes of all sites together, k.
    """
    rows = np.asarray(features, np.float64)
    kernel = np.zeros((rows.shape[1], classes))
    return Head(rows.mean(axis=0), (rows**2).mean(axis=0), kernel, np.zeros(classes))


def trained(head: Head, features: Floats, labels: NDArray[np.integer], steps: int) -> Head:
    """Goes on from a head by gradient descent on all images of a site at once.

    Args:
        head: the average of all sites.
        features: [n, d].
        labels: classes as integers, [n].
        steps: of descent; with one, the average of the sites is the step on pooled images.
    """
    rows = _standardised(head, features)
    right = np.eye(len(head.bias))[labels]
    kernel, bias = head.kernel, head.bias
    for _ in range(steps):
        error = (_probabilities(rows @ kernel + bias) - right) / len(rows)
        kernel = kernel - _RATE * (rows.T @ error + STRENGTH * kernel)
        bias = bias - _RATE * error.sum(axis=0)
    return head._replace(kernel=kernel, bias=bias)


def averaged(heads: list[Head], images: list[int]) -> Head:
    """What the server makes of the heads of all sites (FedAvg).

    H. B. McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
    Data", 2017.
    """
    return Head(*(np.average(each, axis=0, weights=images) for each in zip(*heads, strict=True)))


def accuracy(head: Head, features: Floats, labels: NDArray[np.integer]) -> float:
    """Share of images whose class the head tells."""
    answers = _standardised(head, features) @ head.kernel + head.bias
    return float((answers.argmax(axis=1) == labels).mean())


def _standardised(head: Head, features: Floats) -> Floats:
    """Features of mean 0 and variance 1, divided by sqrt(d): rows are about as long as 1."""
    variance = np.maximum(head.square - head.mean**2, 0.0)
    scale = np.sqrt((variance + _VARIANCE_FLOOR * variance.mean() + 1e-12) * len(variance))
    return np.asarray((features - head.mean) / scale)


def _probabilities(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
