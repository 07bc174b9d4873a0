"""A further label column of a run that has ended: what was counted, learned and judged."""

from typing import Any

import numpy as np

from components.evaluation.evaluation_settings import EvaluationSettings
from components.judge.checks import Check
from components.judge.further_columns import ColumnResult, judge_column
from components.judge.prediction_file import Predictions

COLUMN = "state"


def counted(evil: str) -> list[dict[str, Any]]:
    """The content of `further_labels.json`."""
    splits = {"train": 300, "validation": 80, "test": 120}
    classes = {evil: 200, "new": 300}
    return [{"column": COLUMN, "images": 500, "of": 700, "splits": splits, "classes": classes}]


def learned() -> list[dict[str, Any]]:
    """What `training.json` says of its head."""
    calibration = {
        "temperature": 1.1,
        "loss_before": 0.3,
        "loss_after": 0.29,
        "error_before": 0.04,
        "error_after": 0.03,
    }
    return [
        {
            "column": COLUMN,
            "classes": 2,
            "training_images": 300,
            "validation_images": 80,
            "validation_accuracy": 0.9,
            "calibration": calibration,
            "refitted_images": 380,
        }
    ]


def judged(evil: str) -> tuple[ColumnResult, list[Check]]:
    """Its head answers 108 of 120 test images rightly, 70 of which are new."""
    truth = np.repeat([1, 0], [70, 50])
    answers = truth.copy()
    answers[60:72] = 1 - answers[60:72]
    classes = (evil, "new")
    names = [f"{row}.png" for row in range(120)]
    probabilities = (np.eye(2)[answers] * 0.8 + 0.1).astype(np.float32)
    predictions = Predictions(names, [classes[each] for each in truth], classes, probabilities)
    result, checks = judge_column(COLUMN, predictions, None, EvaluationSettings())
    assert result is not None
    return result, checks
