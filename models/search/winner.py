"""Which configuration is trained to its end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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

_MARGIN: Final = 0.25
"""Times the inverse square root of the number of validation images: what the best of many
configurations must promise more than the usual one. The standard error of such a difference was
0.17 times that (34 configurations on photos of clothes), and the best of many is lucky. By the best
of 100 images, 84.4 % of others were right, with this margin 85.3 %, by the usual one 85.8 %."""


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
    promises: Sequence[tuple[Values, float]],
    costs: Costs,
    price: float = 0.0,
    usual: Values | None = None,
) -> Winner:
    """The configuration that promises most, its cost counted, or the usual one.

    Args:
        promises: of the configurations that were begun; at least one.
        costs: of their backbones.
        price: accuracy that a configuration must promise for each doubling of what its backbone
            computes for an image.
        usual: the configuration that others must beat by more than luck.
    """
    cheapest = min(costs.serving(candidate_of(values)) for values, _ in promises)

    def worth(each: tuple[Values, float]) -> tuple[float, bool]:
        values, promise = each
        cost = costs.serving(candidate_of(values)) / cheapest
        return promise - price * math.log2(cost), not is_frozen(values)

    ranked = sorted(at_least_frozen(promises), key=worth, reverse=True)
    best = ranked[0]
    if len(ranked) == 1:
        return _won(best, "; the time was enough for no other configuration.")
    counted = ", its cost counted" if price else ""
    most = f"the most of {len(ranked)}{counted}"
    margin = _MARGIN / math.sqrt(costs.validation_images)
    known = next((each for each in ranked[1:] if each[0] == usual), None)
    if known is not None and worth(best)[0] - worth(known)[0] < margin:
        return _won(
            known,
            f"; {_promise(best)}, {most}, which is less than {margin:.3f} more, by which the best "
            f"of many must be ahead of the usual one on {costs.validation_images} validation "
            "images.",
        )
    return _won(best, f", {most}; {_promise(ranked[1])}.")


def _won(each: tuple[Values, float], why: str) -> Winner:
    return Winner(each[0], each[0], f"{_promise(each)}{why}")


def _promise(each: tuple[Values, float]) -> str:
    values, promise = each
    return f"{in_words(values)} promises {promise:.3f}"


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
