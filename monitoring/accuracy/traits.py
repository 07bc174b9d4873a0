"""What an image and its answer show of whether the answer is right."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logit

from models.observation.reference import Reference
from monitoring.observations import Observations

Floats = NDArray[np.float64]
_NEIGHBOURS: Final = 10
_CHUNK: Final = 512
_SUREST: Final = 1e-4
"""Confidences nearer to 0 or 1 are alike."""
_FURTHEST: Final = 100.0
_MOST_SPREADS: Final = 8.0
"""Signals further than so many standard deviations of the reference's from its mean are alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Images and their answers, of the reference or of the log.

    Attributes:
        class_ids: int32 [m], the most likely class.
        confidences: float64 [m], calibrated probability of it.
        leads: float64 [m], log of how many times likelier it is than the next, calibrated.
        entropies: float64 [m], as served, nats.
        signals: float64 [m, 5].
        projections: float32 [m, c].
    """

    class_ids: NDArray[np.int32]
    confidences: Floats
    leads: Floats
    entropies: Floats
    signals: Floats
    projections: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.class_ids)


def seen_by_probabilities(
    probabilities: NDArray[Any],
    projections: NDArray[Any],
    signals: NDArray[Any],
    temperature: float,
) -> Seen:
    """Images whose probabilities of all classes, as served, are known, [m, k]."""
    served = np.maximum(probabilities.astype(np.float64), 1e-7)
    logs = log_softmax(np.log(served) / temperature, axis=1)
    best = np.sort(logs, axis=1)[:, ::-1][:, :2]
    return Seen(
        class_ids=probabilities.argmax(axis=1).astype(np.int32),
        confidences=np.exp(best[:, 0]),
        leads=best[:, 0] - best[:, 1],
        entropies=-(served * np.log(served)).sum(axis=1),
        signals=signals.astype(np.float64),
        projections=projections.astype(np.float32),
    )


def seen_in_log(observed: Observations, temperature: float) -> Seen:
    """Images of the log."""
    top = np.maximum(observed.top_probabilities.astype(np.float64), 1e-7)
    second = top[:, 1] if top.shape[1] > 1 else np.full(len(top), 1e-7)
    return Seen(
        class_ids=observed.class_ids,
        confidences=observed.confidences.astype(np.float64),
        leads=(np.log(top[:, 0]) - np.log(second)) / temperature,
        entropies=observed.entropies.astype(np.float64),
        signals=observed.signals.astype(np.float64),
        projections=observed.projections.astype(np.float32),
    )


class Traits:
    """Describes images beside a reference."""

    def __init__(self, reference: Reference) -> None:
        """Keeps the anchors.

        Args:
            reference: of the version that answers.
        """
        self._anchors = reference.anchors.astype(np.float32)
        self._anchor_labels = reference.anchor_labels
        self._squares = (self._anchors**2).sum(axis=1)
        self._centre = reference.signals.mean(axis=0, dtype=np.float64)
        self._spread = reference.signals.std(axis=0, dtype=np.float64) + 1e-3

    def of(self, seen: Seen) -> Floats:
        """How sure the answer is, where the image lies among the anchors, and how it looks.

        Returns:
            float64 [m, 18].
        """
        looks = np.clip((seen.signals - self._centre) / self._spread, -_MOST_SPREADS, _MOST_SPREADS)
        size = np.sqrt((seen.projections.astype(np.float64) ** 2).mean(axis=1))
        sure = logit(np.clip(seen.confidences, _SUREST, 1 - _SUREST))
        answer = np.column_stack([sure, seen.leads, seen.entropies, np.log(size + 0.1)])
        parts = [
            self._among_anchors(
                seen.projections[at : at + _CHUNK], seen.class_ids[at : at + _CHUNK]
            )
            for at in range(0, len(seen), _CHUNK)
        ]
        place = np.concatenate([np.zeros((0, 4)), *parts])
        return np.column_stack([answer, place, looks, np.abs(looks)])

    def _among_anchors(
        self, projections: NDArray[np.float32], class_ids: NDArray[np.int32]
    ) -> Floats:
        """Distances to the class given, to the others and to all, and how many neighbours agree."""
        count = min(_NEIGHBOURS, len(self._anchors))
        if not count:
            return np.zeros((len(projections), 4))
        squares = (projections**2).sum(axis=1)[:, None] + self._squares
        squares = np.maximum(squares - 2 * projections @ self._anchors.T, 0.0).astype(np.float64)
        same = self._anchor_labels == class_ids[:, None]
        own = np.where(same, squares, np.inf).min(axis=1)
        others = np.where(same, np.inf, squares).min(axis=1)
        nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
        agreeing = (self._anchor_labels[nearest] == class_ids[:, None]).mean(axis=1)
        near = np.take_along_axis(squares, nearest, axis=1).mean(axis=1)
        distances = np.minimum(np.sqrt(np.column_stack([own, others, near])), _FURTHEST)
        return np.column_stack([np.log(distances + 0.1), agreeing])
