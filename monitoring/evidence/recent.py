"""The images that came last, to say since when, which way, and which of them weigh most."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

KEPT: Final = 1024
"""Images."""


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Images in the order in which they came, at most `KEPT`.

    Attributes:
        times: float64 [r], seconds since 1970.
        digests: bytes of 64 hex digits, S64 [r].
        numbers: of each signal, float32 [r, s]; NaN for unknown.
        points: projections in whole steps, int16 [r, c].
        ranks: 0..1, float32 [r, s].
    """

    times: NDArray[np.float64]
    digests: NDArray[np.bytes_]
    numbers: NDArray[np.float32]
    points: NDArray[np.int16]
    ranks: NDArray[np.float32]

    @classmethod
    def none(cls, signals: int, components: int) -> Self:
        """Begins with no image."""
        table = np.zeros((0, signals), np.float32)
        return cls(
            np.zeros(0), np.zeros(0, "S64"), table, np.zeros((0, components), np.int16), table
        )

    def followed_by(self, *more: NDArray[Any]) -> Self:
        """These images and some more, without the first where they are too many.

        Args:
            *more: what is kept of these, in the order of the attributes.
        """
        kept = (getattr(self, field.name) for field in fields(self))
        return type(self)(
            *(
                np.concatenate([old, new.astype(old.dtype)])[-KEPT:]
                for old, new in zip(kept, more, strict=True)
            )
        )

    def __len__(self) -> int:
        return len(self.times)
