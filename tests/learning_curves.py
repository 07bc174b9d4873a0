"""Learning curves made by a formula, with a known best configuration."""

import numpy as np

from models.curves.learning_curve import CurveTask, LearningCurve

EPOCHS = 16
_SECONDS = {"small": 1.0, "middle": 3.0, "large": 9.0}
_ENDS = {"small": 0.7, "middle": 0.9, "large": 0.85}


def made_task(seed: int, *, count: int = 40, size: float = 1000.0) -> CurveTask:
    """A task on which the middle backbone at a rate of 0.001 ends highest."""
    random = np.random.default_rng(seed)
    curves = []
    for _ in range(count):
        backbone = str(random.choice(list(_SECONDS)))
        rate = float(10 ** random.uniform(-5, -1))
        end = _ENDS[backbone] - 0.1 * (np.log10(rate) + 3) ** 2 + random.normal(0, 0.01)
        shape = 1 - np.exp(-np.arange(1, EPOCHS + 1) / 3)
        curves.append(
            LearningCurve(
                {"backbone": backbone, "rate": rate},
                tuple(np.clip(end * shape, 0.01, 1).tolist()),
                (_SECONDS[backbone] * size / 1000,) * EPOCHS,
                ended=True,
            )
        )
    return CurveTask(f"made-{seed}", size, {"classes": 10.0}, tuple(curves))


def begun(curve: LearningCurve, epochs: int) -> LearningCurve:
    """The first epochs of a curve."""
    return LearningCurve(
        curve.values, curve.scores[:epochs], curve.seconds[:epochs], epochs >= curve.epochs
    )
