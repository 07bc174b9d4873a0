"""The tf.Examples of Classify, Regress and MultiInference as a tensor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import invalid_argument

Input = Any
"""`tensorflow_serving.apis.input_pb2.Input`, which carries no types."""


def serialized_examples(request_input: Input) -> NDArray[Any]:
    """The examples of a request, serialized, [n] of dtype object.

    The features of a common context, if there is one, stand in front of those of each example.

    Raises:
        ServingError: there is no example.
    """
    if request_input.WhichOneof("kind") == "example_list_with_context":
        with_context = request_input.example_list_with_context
        context, examples = with_context.context.SerializeToString(), with_context.examples
    else:
        context, examples = b"", request_input.example_list.examples
    if not examples:
        raise invalid_argument("Input is empty.")
    array = np.empty(len(examples), dtype=object)
    # Two serialized messages, one behind the other, are their merge.
    array[:] = [context + example.SerializeToString() for example in examples]
    return array
