"""JSON of classify and regress requests."""

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.errors import ServingError
from serving.tensors.json_examples import (
    classifications_to_json,
    examples_from_json,
    regressions_to_json,
)
from serving.tensors.json_outputs import to_json


def _features(serialized: bytes) -> dict[str, list[Any]]:
    features = tf.train.Example.FromString(serialized).features.feature
    return {
        name: list(getattr(feature, feature.WhichOneof("kind") or "int64_list").value)
        for name, feature in features.items()
    }


def test_values_become_features_of_their_type() -> None:
    example = {"i": [1, -2], "b": True, "f": 0.5, "s": ["a", {"b64": "/w=="}], "none": []}
    document = {"examples": [example, {}], "context": {"c": "x"}}
    first, second = map(_features, examples_from_json(document))
    expected = {"i": [1, -2], "b": [1], "f": [0.5], "s": [b"a", b"\xff"], "none": [], "c": [b"x"]}
    assert first == expected
    assert second == {"c": [b"x"]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "Expecting 'examples'"),
        ({"examples": []}, "at least one"),
        ({"examples": {}}, "list/array"),
        ({"examples": [{}, 1]}, "Example 1 must be a JSON object of features but is 1"),
        ({"examples": [{}], "context": []}, "The context must be a JSON object"),
        ({"examples": [{"a": None}]}, "Feature: a has element with unexpected JSON type: null"),
        ({"examples": [{"a": [[1]]}]}, "Feature: a has element with unexpected JSON type: a list"),
        ({"examples": [{"a": {"x": 1}}]}, "unexpected JSON type: an object of 1"),
        ({"examples": [{"a": [1, 2.0]}]}, "Feature: a has elements of different types"),
        ({"examples": [{"a": 2**63}]}, "Only int64 is supported"),
        ({"examples": [{"a": 1e39}]}, "Only float32 is supported"),
        ({"examples": [{"a": {"b64": "?"}}]}, "Unable to base64 decode"),
    ],
)
def test_what_is_no_example_is_told(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ServingError) as caught:
        examples_from_json(document)
    assert caught.value.http_status == 400
    assert message in caught.value.message


def test_results_are_lists() -> None:
    classes = classification_pb2.ClassificationResult()
    for label, score in (("a", 0.1), ("é", float("inf"))):
        classes.classifications.add().classes.add(label=label, score=np.float32(score))
    text = to_json(classifications_to_json(classes)).decode()
    assert text == '{"results":[[["a",0.1]],[["é",Infinity]]]}\n'
    numbers = regression_pb2.RegressionResult(regressions=[{"value": 0.25}, {"value": 3}])
    assert json.loads(to_json(regressions_to_json(numbers))) == {"results": [0.25, 3.0]}
