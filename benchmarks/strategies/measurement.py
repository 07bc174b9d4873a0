"""What is measured in a situation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

AUTO: Final = "auto"
"""The strategy that a run comes to by itself, with the settings as they are."""


@dataclass(frozen=True)
class Measurement:
    """The strategies in one situation, which is made out of a folder of labelled images.

    Attributes:
        name: of the situation; that of a fine-tuning, which takes long, begins with "fine-tuned".
        measure: of a seed, the accuracy of each strategy; the first is the one without any. Nothing
            where the folder has too few images for it.
        aside: strategies that know more than a run does, or cost more to serve: no rivals of
            `AUTO`.
    """

    name: str
    measure: Callable[[int], Mapping[str, float]]
    aside: frozenset[str] = frozenset()
