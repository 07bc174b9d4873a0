"""What the benchmark asks of a method: propose, be told, choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import GraftError
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import SearchSpace, Values


class UnavailableError(GraftError):
    """A method that cannot run here, such as a peer whose environment was not made."""


@dataclass(frozen=True)
class Problem:
    """What a method knows before its first trial.

    Attributes:
        space: to propose from.
        sources: earlier searches on other tasks.
        task: description of the task at hand.
        trials: that it may make, counted in whole trainings.
        epochs: of a whole training, at most.
        seed: of its random choices, from 0.
        scratch: empty folder for its files.
    """

    space: SearchSpace
    sources: tuple[PastSearch, ...]
    task: TaskDescription
    trials: int
    epochs: int
    seed: int
    scratch: Path


@dataclass(frozen=True)
class Proposal:
    """What to train next.

    Attributes:
        values: of the configuration.
        epochs: that it is to be trained for, at most.
        paid_epochs: of these, how many an earlier trial of the same configuration has run, from
            whose state a tuner would go on.
    """

    values: Values
    epochs: int
    paid_epochs: int = 0


class Method(Protocol):
    """One search."""

    def ask(self) -> Proposal | None:
        """The next trial; None when there is nothing left to try."""

    def tell(self, score: float | None) -> None:
        """Takes the validation score of the last proposal, higher is better; None if it failed."""

    def choose(self) -> int:
        """Index of the trial, among those told of, that it would hand to the user now."""

    def close(self) -> None:
        """Ends it."""


def best_so_far(scores: Sequence[float | None]) -> int:
    """Index of the best score, the first of equals; 0 when all failed."""
    known = [index for index, score in enumerate(scores) if score is not None]
    return max(known, key=lambda index: (scores[index], -index), default=0)


def usable_sources(problem: Problem) -> tuple[PastSearch, ...]:
    """Sources whose every configuration lies in the problem's space.

    Peers take configurations of their own space and nothing else.
    """
    parameters = {parameter.name: parameter for parameter in problem.space.parameters}

    def fits(values: Values) -> bool:
        return values.keys() == parameters.keys() and all(
            parameters[name].contains(value) for name, value in values.items()
        )

    return tuple(each for each in problem.sources if all(fits(values) for values in each.values))
