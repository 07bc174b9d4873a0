"""Pasts that mislead, to try the guard."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from models.curves.learning_curve import CurveTask

Past = Literal["true", "inverted", "permuted", "none"]


def change(past: Past, tasks: Sequence[CurveTask], seed: int) -> list[CurveTask]:
    """The past as it is, or as it is not.

    Args:
        past: "inverted" turns the scores of each task upside down, "permuted" gives each
            configuration the curve of another one, "none" leaves nothing.
        tasks: as they are.
        seed: of the permutation.
    """
    match past:
        case "true":
            return list(tasks)
        case "none":
            return []
        case "inverted":
            return [_invert(task) for task in tasks]
    return [_permute(task, np.random.default_rng([seed, len(task.curves)])) for task in tasks]


def _invert(task: CurveTask) -> CurveTask:
    scores = [score for curve in task.curves for score in curve.scores]
    turn = max(scores) + min(scores)
    return replace(
        task,
        curves=tuple(
            replace(curve, scores=tuple(turn - score for score in curve.scores))
            for curve in task.curves
        ),
    )


def _permute(task: CurveTask, random: np.random.Generator) -> CurveTask:
    others = random.permutation(len(task.curves))
    return replace(
        task,
        curves=tuple(
            replace(task.curves[other], values=curve.values)
            for curve, other in zip(task.curves, others, strict=True)
        ),
    )
