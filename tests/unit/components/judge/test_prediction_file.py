from typing import Any

import numpy as np
import pytest

from components.judge.explanations import worst_mistakes
from components.judge.prediction_file import Predictions
from models import metrics


def test_truth_is_found_once_however_many_images_are_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    original = metrics.class_indices

    def watched(*those: Any) -> metrics.Integers:
        found.append(original(*those))
        return found[-1]

    monkeypatch.setattr(metrics, "class_indices", watched)
    count = 50
    answers = np.tile(np.array([0.75, 0.25], np.float32), (count, 1))
    labels = ["a" if number % 2 else "b" for number in range(count)]
    predictions = Predictions([str(n) for n in range(count)], labels, ("a", "b"), answers)
    assert worst_mistakes(predictions, 3) == [0, 2, 4]
    assert predictions.right.tolist() == [label == "a" for label in labels]
    assert len(found) == 1
