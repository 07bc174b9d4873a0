"""Classify, Regress and MultiInference: signatures that take tf.Examples.

Checks and messages are TensorFlow Serving's (`classifier.cc`, `regressor.cc`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
import numpy as np
from numpy.typing import NDArray
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.errors import ServingError, invalid_argument
from serving.inference.signature_call import SignatureCall
from serving.servables.loader import LoadedModel
from serving.tensors.tensor_protos import SignatureDef, Tensors

CLASSIFY: Final = "tensorflow/serving/classify"
REGRESS: Final = "tensorflow/serving/regress"
_INPUTS: Final = "inputs"
_CLASSES: Final = "classes"
_SCORES: Final = "scores"
_OUTPUTS: Final = "outputs"
_MATRIX: Final = 2


@dataclass(frozen=True)
class ExampleTask:
    """A signature to run on examples.

    Attributes:
        method: `CLASSIFY` or `REGRESS`.
        signature: takes the examples.
        input: name of the tensor that takes them.
        outputs: alias to the name of the tensor, of those that the answer is made of.
    """

    method: str
    signature: SignatureDef
    input: str
    outputs: dict[str, str]


def example_task(model: LoadedModel, method: str, signature_name: str) -> ExampleTask:
    """Finds what `method` needs in a signature.

    Raises:
        ServingError: there is no such signature, or it is none for `method`.
    """
    signature = model.signatures.get(signature_name)
    if signature is None:
        raise invalid_argument(f"No signature was found with the name: {signature_name}")
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if method == CLASSIFY:
        return _classification(signature)
    if method == REGRESS:
        return _regression(signature)
    message = f"Unsupported signature method_name: {method}"
    raise ServingError(grpc.StatusCode.UNIMPLEMENTED, message)


def example_calls(
    model: LoadedModel, tasks: Sequence[ExampleTask], examples: NDArray[Any]
) -> list[SignatureCall]:
    """One run of the graph that answers all of `tasks`, or one for each.

    Not every choice of a client is computed together (`LoadedModel.takes_choice`).

    Args:
        model: what the tasks belong to.
        tasks: at least one.
        examples: serialized tf.Examples, [n].

    Raises:
        ServingError: the tasks have different inputs, and not all of them take examples.
    """
    together = example_call(model, tasks, examples)
    if len(tasks) == 1 or model.takes_choice(together.fetches):
        return [together]
    return [example_call(model, [task], examples) for task in tasks]


def example_call(
    model: LoadedModel, tasks: Sequence[ExampleTask], examples: NDArray[Any]
) -> SignatureCall:
    """One run of the graph that answers all of `tasks`: takes and raises what `example_calls` does.

    TensorFlow 2 gives each signature an input of its own, so that the examples may go into several.
    """
    feeds = {task.input: examples for task in tasks}
    if len(feeds) > 1 and not all(map(_takes_examples, tasks)):
        raise invalid_argument("Input tensor must be the same for all Signatures.")
    fetches = tuple(sorted({name for task in tasks for name in task.outputs.values()}))
    return SignatureCall(model, feeds, fetches, aliases=fetches)


def classification_result(task: ExampleTask, fetched: Tensors, examples: int) -> Any:
    """The `ClassificationResult` of a run.

    Args:
        task: the signature that was run.
        fetched: name of a tensor to value.
        examples: number of examples.

    Raises:
        ServingError: the outputs are no classes or scores of that many examples.
    """
    values = {alias: fetched[name] for alias, name in task.outputs.items()}
    for alias, dtype, name in ((_CLASSES, object, "DT_STRING"), (_SCORES, np.float32, "DT_FLOAT")):
        if alias in values:
            _require_matrix(values[alias], alias, np.dtype(dtype), name, examples)
    widths = {value.shape[1] for value in values.values()}
    if len(widths) > 1:
        raise invalid_argument(
            "Tensors class and score should match in dim_size(1). Got"
            f" {values[_CLASSES].shape[1]} vs. {values[_SCORES].shape[1]}"
        )
    columns = {"label": values.get(_CLASSES), "score": values.get(_SCORES)}
    lists = {field: value.tolist() for field, value in columns.items() if value is not None}
    result = classification_pb2.ClassificationResult()
    for row in range(examples):
        classes = result.classifications.add().classes
        for column in range(next(iter(widths))):
            classes.add(**{field: rows[row][column] for field, rows in lists.items()})
    return result


def regression_result(task: ExampleTask, fetched: Tensors, examples: int) -> Any:
    """The `RegressionResult` of a run; see `classification_result`.

    Raises:
        ServingError: the output is not one number for each example.
    """
    value = fetched[task.outputs[_OUTPUTS]]
    if value.ndim not in (1, _MATRIX) or value.shape[1:] not in ((), (1,)):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got"
            f" {_shape(value)}"
        )
    if len(value) != examples:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {examples} vs. {len(value)}"
        )
    if value.dtype != np.float32:
        raise invalid_argument(f"Expected output Tensor of DT_FLOAT.  Got: {value.dtype}")
    numbers = value.ravel().tolist()
    return regression_pb2.RegressionResult(
        regressions=[regression_pb2.Regression(value=number) for number in numbers]
    )


def _classification(signature: SignatureDef) -> ExampleTask:
    outputs = signature.outputs
    if len(outputs) not in (1, 2):
        raise invalid_argument(f"Expected one or two output Tensors, found {len(outputs)}")
    kept = {alias: outputs[alias].name for alias in (_CLASSES, _SCORES) if alias in outputs}
    if not kept:
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "Expected classification signature outputs to contain at least one of"
            f' "{_CLASSES}" or "{_SCORES}". Signature was: {signature}',
        )
    return ExampleTask(CLASSIFY, signature, _input(signature, "classification"), kept)


def _regression(signature: SignatureDef) -> ExampleTask:
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if _OUTPUTS not in signature.outputs:
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"No regression outputs found in SignatureDef: {signature}",
        )
    outputs = {_OUTPUTS: signature.outputs[_OUTPUTS].name}
    return ExampleTask(REGRESS, signature, _input(signature, "regression"), outputs)


def _input(signature: SignatureDef, what: str) -> str:
    if _INPUTS not in signature.inputs:
        message = f"No {what} inputs found in SignatureDef: {signature}"
        raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
    return str(signature.inputs[_INPUTS].name)


def _takes_examples(task: ExampleTask) -> bool:
    return bool(task.signature.inputs[_INPUTS].dtype == types_pb2.DT_STRING)


def _require_matrix(
    value: NDArray[Any], alias: str, dtype: np.dtype[Any], name: str, examples: int
) -> None:
    if value.ndim != _MATRIX:
        message = "Expected Tensor shape: [batch_size num_classes] but got"
        raise invalid_argument(f"{message} {_shape(value)}")
    if value.dtype != dtype:
        raise invalid_argument(f"Expected {alias} Tensor of {name}. Got: {value.dtype}")
    if len(value) != examples:
        message = f"Expected {alias} output batch size of {examples}. Got: {len(value)}"
        raise invalid_argument(message)


def _shape(value: NDArray[Any]) -> str:
    return "[" + ",".join(map(str, value.shape)) + "]"
