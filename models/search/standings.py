"""Means of configurations that were evaluated under different conditions, with standard errors.

One fold is harder than another for every configuration, and more epochs make every one better, so
a plain mean would favour those that met the easy folds or were trained longer. Scores are therefore
taken as the sum of what the configuration is worth, what the condition adds and noise, and fitted
by least squares (the two-way layout without interaction, as in any textbook on the analysis of
variance).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.history.records import Evaluation


@dataclass(frozen=True)
class Standing:
    """What is known of one configuration.

    Attributes:
        mean: score as under the condition that all share, what other conditions add taken out.
        standard_error: of the mean against the others', from what the fit leaves unexplained;
            None while there is too little to tell.
    """

    mean: float
    standard_error: float | None


def standings(evaluations: Mapping[int, Sequence[Evaluation]]) -> dict[int, Standing]:
    """Fits the means.

    Args:
        evaluations: of each configuration; the first of each under the same condition, such as
            on the task's own validation split.

    Returns:
        By the same keys.
    """
    rows = [(key, each) for key, several in evaluations.items() for each in several]
    configurations = list(evaluations)
    shared, *others = dict.fromkeys(_condition(each) for _, each in rows)
    design = np.zeros((len(rows), len(configurations) + len(others)))
    for row, (key, each) in enumerate(rows):
        design[row, configurations.index(key)] = 1.0
        if _condition(each) != shared:
            design[row, len(configurations) + others.index(_condition(each))] = 1.0
    scores = np.array([each.score for _, each in rows])
    fitted, _, rank, _ = np.linalg.lstsq(design, scores, rcond=None)
    freedom = len(rows) - int(rank)
    residuals = scores - design @ fitted
    noise = float(np.sqrt(residuals @ residuals / freedom)) if freedom > 0 else None
    return {
        key: Standing(
            mean=float(fitted[position]),
            standard_error=None if noise is None else noise / len(evaluations[key]) ** 0.5,
        )
        for position, key in enumerate(configurations)
    }


def _condition(evaluation: Evaluation) -> tuple[int | None, int | None]:
    return evaluation.fold, evaluation.paused_after
