"""What a search buys: a stretch of epochs of one configuration."""

from dataclasses import dataclass
from typing import Literal

Origin = Literal["cold", "warm"]
"""Who chose: the search that knows no past, or the one that learned from it."""


@dataclass(frozen=True)
class Purchase:
    """A stretch of a configuration's curve.

    Attributes:
        candidate: number of the configuration among the candidates, from 0.
        start: epochs that it has.
        stop: epochs after which it pauses.
        origin: who chose it.
    """

    candidate: int
    start: int
    stop: int
    origin: Origin
