"""What an answer says of its images, by the names of the log."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import Reference

_MOST_NAMED: Final = 5
_SMALLEST: Final = 1e-30


@dataclass(frozen=True, eq=False)
class Seen:
    """What the signature `monitored` answers beside probabilities.

    Attributes:
        embedding: float32 [n, d].
        signals: float32 [n, 5].
        reference: of the version that answered.
    """

    embedding: NDArray[np.float32]
    signals: NDArray[np.float32]
    reference: Reference


def answer_columns(
    probabilities: NDArray[np.float32], seen: Seen | None = None
) -> dict[str, NDArray[Any]]:
    """The columns of images that were answered.

    Args:
        probabilities: float32 [n, k], k > 0, as served.
        seen: None where the model says no more.
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :_MOST_NAMED]
    logs = np.log(np.maximum(probabilities, _SMALLEST))
    columns: dict[str, NDArray[Any]] = {
        "class_ids": best,
        "probabilities": np.take_along_axis(probabilities, best, axis=1),
        "entropy": -(probabilities * logs).sum(axis=1),
    }
    if seen is not None:
        scaled = (logs - logs.max(axis=1, keepdims=True)) / seen.reference.temperature
        columns["confidence"] = 1.0 / np.exp(scaled).sum(axis=1)
        columns["signals"] = seen.signals
        columns["projection"] = seen.reference.project(seen.embedding)
    return columns


def digest_column(images: Sequence[bytes]) -> NDArray[np.uint8]:
    """SHA-256 of each image, uint8 [n, 32]."""
    joined = b"".join(hashlib.sha256(image).digest() for image in images)
    return np.frombuffer(joined, np.uint8).reshape(len(images), -1)
