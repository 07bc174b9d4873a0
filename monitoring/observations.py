"""Answers of a served model, as arrays."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Images that one version answered, in the order of the log; each digest once.

    Attributes:
        times: float64 [m], seconds since 1970.
        request_ids: m texts, object [m].
        rows: int32 [m], which image of its request.
        digests: m SHA-256 in hex, object [m].
        class_ids: int32 [m], the most likely class.
        top_ids: int32 [m, t], the most likely classes, -1 where there are fewer.
        top_probabilities: float32 [m, t], as served, 0 where there are fewer.
        confidences: float32 [m], calibrated probability of the most likely class.
        entropies: float32 [m], nats.
        signals: float32 [m, 5], columns as in `IMAGE_SIGNALS`.
        projections: float16 [m, c].
        weights: float32 [m], how many answers each stands for.
    """

    times: NDArray[np.float64]
    request_ids: NDArray[Any]
    rows: NDArray[np.int32]
    digests: NDArray[Any]
    class_ids: NDArray[np.int32]
    top_ids: NDArray[np.int32]
    top_probabilities: NDArray[np.float32]
    confidences: NDArray[np.float32]
    entropies: NDArray[np.float32]
    signals: NDArray[np.float32]
    projections: NDArray[np.float16]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Self:
        """Some of the images, by a slice, a mask or indices."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
