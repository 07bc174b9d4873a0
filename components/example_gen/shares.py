"""How much of each class is set aside for test and validation, and where on the line that is."""

import hashlib
import math
from dataclasses import dataclass

from models.data import example_schema

_TOLERANCE = 0.2
KEPT_PLACE = -1.0
"""Before all others on the line: of what stays in the test split."""
LEAST = 3
"""Different images, or bundles of them, that a class needs to be in every split."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of each class is set aside.

    Attributes:
        validation: share for choosing; 0 where the user has a validation split.
        test: share for the final figure; 0 where the user has a test split.
    """

    validation: float
    test: float

    def side_at(self, place: float) -> str:
        """The split at a place on the line from 0 to 1: test, then validation, then training."""
        if place < self.test:
            return example_schema.TEST
        if place < self.test + self.validation:
            return example_schema.VALIDATION
        return example_schema.TRAIN


def place_of(content: str, seed: int) -> float:
    """Where on the line from 0 to 1 something lies, by its digest or its name."""
    digest = hashlib.blake2b(f"{seed}:{content}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def bounds(share: float, total: int) -> tuple[int, int]:
    """Fewest and most of a class's images that are set aside; at least one.

    Args:
        share: of the class, above 0.
        total: its different images.

    >>> bounds(0.15, 100), bounds(0.15, 3)
    ((12, 18), (1, 1))
    """
    target = share * total
    slack = max(1.0, _TOLERANCE * target)
    least = max(1, math.ceil(target - slack))
    return least, max(least, math.floor(target + slack))
