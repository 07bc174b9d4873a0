"""JSON of a classify or regress request to tf.Examples, and the results back.

The format is that of https://www.tensorflow.org/tfx/serving/api_rest#classify_and_regress_api.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tensorflow_serving.apis import input_pb2

from serving.errors import invalid_argument
from serving.tensors.json_document import short_text
from serving.tensors.json_inputs import as_bytes, is_b64
from serving.tensors.json_outputs import number
from serving.tensors.tf_examples import serialized_examples

_SMALLEST, _LARGEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_LARGEST_FLOAT: Final = float(np.finfo(np.float32).max)
_LISTS: Final = {int: "int64_list", float: "float_list", bytes: "bytes_list"}


def examples_from_json(document: Mapping[str, Any]) -> NDArray[Any]:
    """Reads the examples of a request; whole numbers and booleans become int64 features.

    Args:
        document: the parsed body.

    Returns:
        Serialized tf.Examples, [n] of dtype object, each with the features of the context too.

    Raises:
        ServingError: the body has no examples, or a feature has a value that it cannot have.
    """
    examples = document.get("examples")
    if not isinstance(examples, list) or not examples:
        raise invalid_argument("Expecting 'examples' to be a list/array with at least one example")
    request = input_pb2.Input()
    if "context" in document:
        _fill(request.example_list_with_context.context, document["context"], "The context")
        kept = request.example_list_with_context.examples
    else:
        kept = request.example_list.examples
    for position, example in enumerate(examples):
        _fill(kept.add(), example, f"Example {position}")
    return serialized_examples(request)


def classifications_to_json(result: Any) -> dict[str, Any]:
    """The answer to a classify request: pairs of label and score for each example."""
    return {
        "results": [
            [[one.label, number(np.float32(one.score))] for one in classified.classes]
            for classified in result.classifications
        ]
    }


def regressions_to_json(result: Any) -> dict[str, Any]:
    """The answer to a regress request: a number for each example."""
    return {"results": [number(np.float32(one.value)) for one in result.regressions]}


def _fill(example: Any, content: Any, where: str) -> None:
    if not isinstance(content, dict) or is_b64(content):
        message = f"{where} must be a JSON object of features but is {short_text(content)}"
        raise invalid_argument(message)
    for name, value in content.items():
        values = [
            _feature_value(one, name) for one in (value if isinstance(value, list) else [value])
        ]
        kinds = set(map(type, values))
        if len(kinds) > 1:
            raise invalid_argument(f"Feature: {name} has elements of different types")
        feature = example.features.feature[name]
        if kinds:
            getattr(feature, _LISTS[kinds.pop()]).value.extend(values)


def _feature_value(value: Any, name: str) -> int | float | bytes:
    if isinstance(value, (bool, int)):
        if not _SMALLEST <= value <= _LARGEST:
            raise invalid_argument(f"Feature: {name} has {value}. Only int64 is supported.")
        return int(value)
    if isinstance(value, float):
        if abs(value) > _LARGEST_FLOAT and not math.isinf(value):
            raise invalid_argument(f"Feature: {name} has {value}. Only float32 is supported.")
        return value
    if isinstance(value, str) or is_b64(value):
        return as_bytes(value)
    message = f"Feature: {name} has element with unexpected JSON type: {short_text(value)}"
    raise invalid_argument(message)
