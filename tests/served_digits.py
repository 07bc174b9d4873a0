"""A small served model of scikit-learn's digits, whose pixels are its embeddings."""

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy.special import softmax
from sklearn.datasets import load_digits

from models.head.linear_head import fit_linear
from models.observation.reference import Reference, StressedAnswers
from models.observation.stress import as_arrays, stress_plan, stressed
from monitoring.observations import Observations

_TRAINING, _HELD_OUT = 700, 1100


@dataclass(frozen=True)
class ServedDigits:
    """The model, its reference, and pictures that it has not seen.

    Attributes:
        reference: with 400 held-out and 800 stressed images.
        pictures: uint8 [n, 8, 8].
        labels: int32 [n].
    """

    reference: Reference
    pictures: np.ndarray
    labels: np.ndarray
    head: Any

    def observe(self, pictures: np.ndarray, start: float = 1.7e9) -> Observations:
        """What the log says of pictures, a second from one to the next."""
        served = _answers(self.head, self.reference, pictures)
        probabilities = served["probabilities"]
        top = np.argsort(-probabilities, axis=1, kind="stable")[:, :5].astype(np.int32)
        calibrated = softmax(np.log(probabilities) / self.reference.temperature, axis=1)
        count = len(pictures)
        return Observations(
            times=start + np.arange(count, dtype=np.float64),
            request_ids=np.array([f"r{row}" for row in range(count)], object),
            rows=np.zeros(count, np.int32),
            digests=np.array([_digest(picture) for picture in pictures], object),
            class_ids=top[:, 0],
            top_ids=top,
            top_probabilities=np.take_along_axis(probabilities, top, axis=1),
            confidences=calibrated.max(axis=1).astype(np.float32),
            entropies=-(probabilities * np.log(probabilities)).sum(axis=1),
            signals=served["signals"],
            projections=served["projections"],
            weights=np.ones(count, np.float32),
        )


@functools.cache
def served_digits() -> ServedDigits:
    """Trains the head and answers the reference's images; a second or two."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    pictures = (digits.images[order] * 15.9).astype(np.uint8)
    labels = digits.target[order].astype(np.int32)
    train = pictures[:_TRAINING].reshape(_TRAINING, -1).astype(np.float32) / 64.0
    border = _TRAINING - 100
    head = fit_linear(
        train[:border],
        labels[:border],
        train[border:],
        labels[border:_TRAINING],
        np.ones(10, np.float32),
    )
    _, widths, axes = np.linalg.svd(train - train.mean(axis=0), full_matrices=False)
    directions = (axes[:16].T / (widths[:16] / _TRAINING**0.5)).astype(np.float32)
    empty = Reference(
        classes=tuple(str(digit) for digit in range(10)),
        model_digest="0" * 64,
        temperature=1.0,
        centre=train.mean(axis=0),
        directions=directions,
        anchors=((train - train.mean(axis=0)) @ directions).astype(np.float16),
        anchor_labels=labels[:_TRAINING],
        projections=np.zeros((0, 16), np.float16),
        probabilities=np.zeros((0, 10), np.float16),
        signals=np.zeros((0, 5), np.float32),
        labels=np.zeros(0, np.int32),
        digests=(),
        names=(),
    )
    held = slice(_TRAINING, _HELD_OUT)
    reference = _with_held_out(empty, head, pictures[held], labels[held])
    return ServedDigits(reference, pictures[_HELD_OUT:], labels[_HELD_OUT:], head)


def _with_held_out(
    empty: Reference, head: Any, pictures: np.ndarray, labels: np.ndarray
) -> Reference:
    rows = np.arange(2 * len(labels)) % len(labels)
    plan = stress_plan(map(str, range(len(rows))))
    changes, strengths = as_arrays(plan)
    worse = np.stack(
        [
            np.asarray(stressed(Image.fromarray(pictures[row]), stress))
            for row, stress in zip(rows, plan, strict=True)
        ]
    )
    kept = {name: getattr(empty, name) for name in Reference.__dataclass_fields__}
    return Reference(
        **{
            **kept,
            **_halved(_answers(head, empty, pictures)),
            "labels": labels,
            "digests": tuple(_digest(picture) for picture in pictures),
            "names": tuple(f"{row}.png" for row in range(len(labels))),
            "stressed": StressedAnswers(
                **_halved(_answers(head, empty, worse[..., 0])),
                labels=labels[rows],
                changes=changes,
                strengths=strengths,
            ),
        }
    )


def _answers(head: Any, reference: Reference, pictures: np.ndarray) -> dict[str, np.ndarray]:
    scaled = pictures.reshape(len(pictures), -1).astype(np.float32) / 64.0
    light = pictures.astype(np.float32) / 255.0
    steps = np.abs(np.diff(light, axis=2)).mean(axis=(1, 2))
    zero = np.zeros(len(pictures), np.float32)
    signals = [light.mean(axis=(1, 2)), light.std(axis=(1, 2)), steps, zero, zero]
    probabilities = softmax(scaled @ head.kernel + head.bias, axis=1)
    return {
        "probabilities": np.maximum(probabilities, 1e-9).astype(np.float32),
        "projections": reference.project(scaled),
        "signals": np.stack(signals, axis=1).astype(np.float32),
    }


def _halved(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {**answers, "probabilities": answers["probabilities"].astype(np.float16)}


def _digest(picture: np.ndarray) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()
