"""Successive halving: many configurations are trained for a little, the best third for longer.

K. Jamieson and A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS 2016.
"""

import math
from collections.abc import Mapping
from typing import Final

from models.history.records import Evaluation

_FACTOR: Final = 3
_LEAST_EPOCHS: Final = 2
"""The first epoch is the warm-up of the learning rate, and tells little."""


def rungs(epochs: int, trials: int) -> tuple[int, ...]:
    """Epochs after which configurations are compared, ascending; the last is a whole training.

    Args:
        epochs: of a whole training.
        trials: configurations in all.
    """
    steps = [epochs]
    while trials >= _FACTOR and math.ceil(steps[0] / _FACTOR) >= _LEAST_EPOCHS:
        steps.insert(0, math.ceil(steps[0] / _FACTOR))
        trials //= _FACTOR
    return tuple(steps)


def promoted(scores: Mapping[int, float], default: int) -> list[int]:
    """Configurations that are trained on, the best first: a third, and the default.

    Args:
        scores: of the configurations that are left, by number; higher is better.
        default: number of the one that the others have to beat, left or not.

    Returns:
        Empty where the default is the best already and nothing else is in the best third.
    """
    ranked = sorted(scores, key=lambda number: -scores[number])
    best = ranked[: max(1, len(ranked) // _FACTOR)]
    if best == [default]:
        return []
    return best if default in best or default not in scores else [*best, default]


def winner(evaluations: Mapping[int, Evaluation], default: int, images: int) -> int:
    """The configuration to take: the default, unless another is better by more than noise.

    The margin is the standard error of the default's accuracy. That of the difference between two
    models on the same images is sqrt(2 (1 - r)) of it, less where their errors correlate by more
    than a half, as those of models with the same backbone do.

    Args:
        evaluations: whole trainings, by number; at least one.
        default: number of the default, which may be missing if it diverged.
        images: that they were validated on.
    """
    best = max(evaluations, key=lambda number: evaluations[number].score)
    if default not in evaluations:
        return best
    gain = evaluations[best].score - evaluations[default].score
    return best if gain > standard_error(evaluations[default], images) else default


def standard_error(evaluation: Evaluation, images: int) -> float:
    """Of an accuracy, by the binomial distribution.

    Args:
        evaluation: holds the accuracy.
        images: that it was measured on.
    """
    # One more right and one more wrong: all of a few images right do not make it certain.
    share = (evaluation.validation_accuracy * images + 1) / (images + 2)
    return math.sqrt(share * (1 - share) / images)
