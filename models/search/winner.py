"""Which configuration is trained to its end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.backbone_choice.backbone_choice import Candidate
from models.history.search_space import Values
from models.search.costs import Costs
from models.search.joint_space import (
    candidate_of,
    in_words,
    is_frozen,
    usual_fine_tuning,
)
from models.search.search_task import SearchTask
from models.training.training_settings import choose_strategy


@dataclass(frozen=True)
class Winner:
    """What comes of a search.

    Attributes:
        begun: the configuration that promises most, of those that were begun.
        trained: what is trained to its end; the same, or a fine-tuning of a frozen backbone.
        words: why.
    """

    begun: Values
    trained: Values
    words: str

    def then(self, fine_tuning: Values) -> "Winner":
        """The same, with a fine-tuning of the frozen backbone in the time that is left."""
        more = f" The time left is for {in_words(fine_tuning)}; the better of the two is exported."
        return Winner(self.begun, fine_tuning, self.words + more)


def most_promising(
    promises: Sequence[tuple[Values, float]], costs: Costs, price: float = 0.0
) -> Winner:
    """The configuration that promises most, its cost counted.

    Args:
        promises: of the configurations that were begun; at least one.
        costs: of their backbones.
        price: accuracy that a configuration must promise for each doubling of what its backbone
            computes for an image.
    """
    cheapest = min(costs.serving(candidate_of(values)) for values, _ in promises)

    def worth(each: tuple[Values, float]) -> tuple[float, bool]:
        values, promise = each
        cost = costs.serving(candidate_of(values)) / cheapest
        return promise - price * math.log2(cost), not is_frozen(values)

    ranked = sorted(at_least_frozen(promises), key=worth, reverse=True)
    values, promise = ranked[0]
    words = f"{in_words(values)} promises {promise:.3f}"
    if len(ranked) == 1:
        return Winner(values, values, f"{words}; the time was enough for no other configuration.")
    second, other = ranked[1]
    counted = ", its cost counted" if price else ""
    words += f", the most of {len(ranked)}{counted}; {in_words(second)} {other:.3f}."
    return Winner(values, values, words)


def at_least_frozen(promises: Sequence[tuple[Values, float]]) -> list[tuple[Values, float]]:
    """Has a fine-tuning promise no less than its backbone does frozen.

    The training that follows exports the head on the frozen backbone where that is better.

    Args:
        promises: of configurations.
    """
    frozen = {candidate_of(values): promise for values, promise in promises if is_frozen(values)}
    return [
        (values, max(promise, frozen.get(candidate_of(values), promise)))
        for values, promise in promises
    ]


def fine_tuning_within(
    seconds: float,
    task: SearchTask,
    costs: Costs,
    candidate: Candidate,
    ends: Sequence[tuple[Values, float]],
    epochs: int,
) -> Values | None:
    """A fine-tuning of a backbone that promises most while it is frozen.

    For one of which no fine-tuning was begun. The training exports the head alone where that is
    better, so that only time can be lost.

    Args:
        seconds: that it may take.
        task: that is searched on.
        costs: of trainings.
        candidate: the backbone.
        ends: the score that each configuration is expected to end at; 0 where nothing is known.
        epochs: that a training is expected to take.

    Returns:
        What is expected to end highest; of equals, what is most like the usual one. None where
        nothing fits in the time, or where so few images are not fine-tuned on.
    """
    if choose_strategy(task.training, costs.images).name != "fine_tune":
        return None
    usual = usual_fine_tuning(task, candidate)

    def worth(each: tuple[Values, float]) -> tuple[float, int]:
        values, end = each
        return end, len(values.items() & usual.items())

    fitting = [
        (values, end)
        for values, end in ends
        if candidate_of(values) == candidate
        and not is_frozen(values)
        and costs.training(values, epochs) <= seconds
    ]
    return max(fitting, key=worth)[0] if fitting else None
