"""What the bodies of predict, classify and regress ask for, and how they are answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from serving.errors import invalid_argument
from serving.inference.example_calls import (
    CLASSIFY,
    REGRESS,
    classification_result,
    example_call,
    example_task,
    regression_result,
)
from serving.inference.signature_call import SignatureCall, checked_call
from serving.servables.loader import DEFAULT_SIGNATURE, LoadedModel
from serving.tensors.json_examples import (
    classifications_to_json,
    examples_from_json,
    regressions_to_json,
)
from serving.tensors.json_inputs import inputs_from_json
from serving.tensors.json_outputs import outputs_to_json, to_json
from serving.tensors.tensor_protos import Tensors


@dataclass(frozen=True)
class Asked:
    """A request that has been read.

    Attributes:
        call: what to run.
        answer: makes the JSON of what was fetched.
    """

    call: SignatureCall
    answer: Callable[[Tensors], bytes]


def read(method: str, model: LoadedModel, document: Mapping[str, Any]) -> Asked:
    """Reads the body of a request.

    Args:
        method: predict, classify or regress.
        model: what the request is for.
        document: the parsed body.

    Raises:
        ServingError: the body does not fit the model.
    """
    name = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise invalid_argument("'signature_name' key must be a string value.")
    return _METHODS[method](model, name or DEFAULT_SIGNATURE, document)


def _predict(model: LoadedModel, name: str, document: Mapping[str, Any]) -> Asked:
    signature = model.signatures.get(name)
    if signature is None:
        raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
    inputs, by_row = inputs_from_json(document, signature)
    return Asked(checked_call(model, signature, inputs), partial(outputs_to_json, by_row=by_row))


def _classify(model: LoadedModel, name: str, document: Mapping[str, Any]) -> Asked:
    task, examples = example_task(model, CLASSIFY, name), examples_from_json(document)

    def answer(fetched: Tensors) -> bytes:
        return to_json(classifications_to_json(classification_result(task, fetched, len(examples))))

    return Asked(example_call(model, [task], examples), answer)


def _regress(model: LoadedModel, name: str, document: Mapping[str, Any]) -> Asked:
    task, examples = example_task(model, REGRESS, name), examples_from_json(document)

    def answer(fetched: Tensors) -> bytes:
        return to_json(regressions_to_json(regression_result(task, fetched, len(examples))))

    return Asked(example_call(model, [task], examples), answer)


_METHODS = {"predict": _predict, "classify": _classify, "regress": _regress}
