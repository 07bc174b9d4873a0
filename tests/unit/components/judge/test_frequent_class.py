import numpy as np
import pytest

from components.judge.frequent_class import beside_frequent_class
from components.judge.prediction_file import Predictions

CLASSES = ("crack", "good")


def _predictions(labels: list[str], answers: list[str]) -> Predictions:
    probabilities = np.eye(2, dtype=np.float32)[[CLASSES.index(each) for each in answers]]
    return Predictions([str(n) for n in range(len(labels))], labels, CLASSES, probabilities)


def test_a_model_that_never_says_the_rare_class_is_told_so() -> None:
    found = beside_frequent_class(_predictions(["good"] * 150 + ["crack"], ["good"] * 151))
    assert (found.label, found.is_beaten) == ("good", False)
    assert found.aside == (
        ", not shown to be more than always 'good' would have (0.993): look at the recall of each "
        "class"
    )


def test_of_few_images_no_recall_tells_more() -> None:
    found = beside_frequent_class(_predictions(["good", "good", "crack"], ["good"] * 2 + ["crack"]))
    assert found.aside == ", not shown to be more than always 'good' would have (0.667)"


def test_a_model_that_knows_the_rare_class_needs_no_aside() -> None:
    labels = ["good"] * 90 + ["crack"] * 10
    found = beside_frequent_class(_predictions(labels, ["good"] * 90 + ["crack"] * 10))
    assert found.is_beaten
    assert found.share == pytest.approx(0.9)
    assert found.aside == ""


def test_guesses_are_not_better() -> None:
    labels = ["good", "crack"] * 20
    answers = ["good", "good", "crack", "crack"] * 10
    assert not beside_frequent_class(_predictions(labels, answers)).is_beaten
