"""The answers in what a server says, in each form that TensorFlow Serving gives."""

import pytest

from serving.rollout.copies import answers_of
from serving.rollout.judge import Answer


@pytest.mark.parametrize(
    "document",
    [
        {"predictions": [{"probabilities": [0.2, 0.8], "labels": ["dog", "cat"]}]},
        {"predictions": [{"probabilities": [0.2, 0.8], "label": "dog", "score": 0.8}]},
        {"outputs": {"probabilities": [[0.2, 0.8]], "labels": [["dog", "cat"]]}},
        {"outputs": {"probabilities": [[0.2, 0.8]], "label": ["dog"], "score": [0.8]}},
    ],
)
def test_a_class_is_known_by_its_name(document: dict) -> None:
    assert answers_of(document) == [Answer("dog", 0.8)]


@pytest.mark.parametrize("document", [{"predictions": [[0.2, 0.8]]}, {"outputs": [[0.2, 0.8]]}])
def test_or_by_its_place(document: dict) -> None:
    assert answers_of(document) == [Answer("1", 0.8)]


def test_a_row_for_each_image() -> None:
    assert answers_of({"predictions": [[0.1, 0.9], [0.7, 0.3]]}) == [
        Answer("1", 0.9),
        Answer("0", 0.7),
    ]
    assert answers_of({"predictions": []}) == []
    assert answers_of({}) == []
