"""Learning curves of configurations, and the tasks that they were seen on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.history.search_space import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LearningCurve:
    """What a configuration came to, epoch by epoch.

    Attributes:
        values: of the configuration's hyperparameters.
        scores: after each epoch, from 0 (nothing) to 1 (perfect), higher is better.
        seconds: that each epoch took, above 0; as many as scores.
        ended: whether nothing can follow: all epochs are made, or the training diverged.
        start: score that the training starts from, as that of the backbone before it is
            fine-tuned; None where it is not known.
    """

    values: Mapping[str, Value]
    scores: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    ended: bool = False
    start: float | None = None

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.seconds):
            raise ValueError(
                f"a curve needs seconds for each score, but got {len(self.scores)} scores and "
                f"{len(self.seconds)} seconds"
            )
        known = self.scores if self.start is None else (self.start, *self.scores)
        if wrong := [score for score in known if not 0 <= score <= 1]:
            raise ValueError(f"scores of a curve lie between 0 and 1, but got {wrong[0]:g}")
        if wrong := [seconds for seconds in self.seconds if not seconds > 0]:
            raise ValueError(f"seconds of an epoch are above 0, but got {wrong[0]:g}")

    @property
    def epochs(self) -> int:
        """That were made."""
        return len(self.scores)

    def best(self, epochs: int | None = None) -> float:
        """Highest score of the first so many epochs, or of all; 0 before the first."""
        return max(self.scores[:epochs], default=0.0)

    def reached(self, epochs: int) -> bool:
        """Whether it is known what the curve comes to in so many epochs."""
        return self.ended or self.epochs >= epochs


@dataclass(frozen=True)
class CurveTask:
    """A task and the curves seen on it.

    Attributes:
        name: for people.
        size: training examples, above 0: the seconds of an epoch grow with it.
        description: further figures that tell tasks apart, by name.
        curves: of any number of epochs.
    """

    name: str
    size: float
    description: Mapping[str, float] = field(default_factory=dict)
    curves: tuple[LearningCurve, ...] = ()

    def __post_init__(self) -> None:
        if not self.size > 0:
            raise ValueError(f"{self.name}: the size of a task is above 0, but got {self.size}")

    @property
    def figures(self) -> dict[str, float]:
        """Size and description."""
        return {"size": self.size, **self.description}

    @property
    def begun(self) -> tuple[LearningCurve, ...]:
        """Curves with an epoch at least."""
        return tuple(curve for curve in self.curves if curve.scores)
