"""A past of another tuner, as its reader hands it over: nothing is renamed or converted yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from models.errors import UsageError
from models.history.search_space import Parameter

Direction = Literal["max", "min"]


class ForeignPastError(UsageError):
    """A past of another tuner that cannot be taken over, and why."""


def passed_over(unended: int) -> list[str]:
    """The note on trials that had not ended; none where all had."""
    return [f"{unended} trials that had not ended were passed over."] if unended else []


@dataclass(frozen=True)
class Wanted:
    """What the user says about a past, where it does not say so itself.

    Attributes:
        metric: name of the score, as the other tuner has it; None for the only one.
        direction: of the score; None where its name or the tuner tells.
        names: our name by their name of a hyperparameter; an empty one leaves it out.
        target: names of the hyperparameters that the new search has, if known.
    """

    metric: str | None = None
    direction: Direction | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    target: Sequence[str] = ()


@dataclass(frozen=True)
class ForeignTrial:
    """One trial that has ended.

    Attributes:
        values: of the hyperparameters, by their names, of any type.
        score: as the tuner has it; None where the trial failed.
        scores: on the way, one for each epoch from the first; empty where they are not known.
        seconds: that each of them took; empty where not known.
        took: seconds of the trial; 0 where not known.
        stopped: whether it was ended before others were.
        message: why it failed, in the tuner's words.
    """

    values: Mapping[str, object]
    score: float | None
    scores: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    took: float = 0.0
    stopped: bool = False
    message: str = ""


@dataclass(frozen=True)
class ForeignPast:
    """One search of another tuner.

    Attributes:
        tuner: its name for people, such as "Optuna".
        name: of the search.
        metric: name of the score.
        direction: of the score.
        trials: that have ended, the oldest first.
        created: when it was last worked on, ISO 8601.
        space: what the tuner says of its hyperparameters, by their names; not always all of them.
        versions: of libraries, by name, as far as the source tells.
        notes: what a user should know about the reading, in sentences.
    """

    tuner: str
    name: str
    metric: str
    direction: Direction
    trials: Sequence[ForeignTrial]
    created: str
    space: Sequence[Parameter] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Refused:
    """A search of another tuner that cannot be taken over, while others of the source may be.

    Attributes:
        name: of the search.
        reason: in words.
    """

    name: str
    reason: str


Found = ForeignPast | Refused
