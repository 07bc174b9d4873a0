"""Checks a prediction against a signature, for REST and gRPC alike."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from numpy.typing import NDArray

from serving.errors import ServingError, invalid_argument
from serving.servables.loader import LoadedModel
from serving.tensors.tensor_protos import SignatureDef, Tensors, from_proto, type_fault

_OUTPUT_ADVICE: Final = " Leave it out (output_filter of gRPC)."


@dataclass(frozen=True)
class SignatureCall:
    """A run of a graph that fits its signature.

    Attributes:
        model: the graph.
        feeds: name of a tensor to its value.
        fetches: names of the tensors to compute.
        aliases: what the signature calls them, in the same order.
    """

    model: LoadedModel
    feeds: Tensors
    fetches: tuple[str, ...]
    aliases: tuple[str, ...]

    def answer(self, fetched: Sequence[NDArray[Any]]) -> Tensors:
        """Names the values of the fetches."""
        return dict(zip(self.aliases, fetched, strict=True))


def checked_call(
    model: LoadedModel,
    signature: SignatureDef,
    inputs: Mapping[str, NDArray[Any]],
    output_filter: Sequence[str] = (),
) -> SignatureCall:
    """Fits `inputs` to `signature`.

    Shapes are not checked against the signature: TensorFlow Serving does not check them either, and
    there are models that count on it.

    Args:
        model: the model that `signature` belongs to.
        signature: names of the tensors behind the aliases.
        inputs: one value for each input of the signature that has no default.
        output_filter: aliases that the answer must have; all if empty. It may have others too:
            not every choice of a client is computed by itself (`LoadedModel.takes_choice`).

    Raises:
        ServingError: inputs or outputs do not match the signature, or are no dense tensors, or an
            input has another type.
    """
    values = _with_defaults(signature, inputs)
    _require_types(signature, values)
    aliases = _requested_outputs(signature, output_filter)
    _require_dense("input", {alias: signature.inputs[alias] for alias in values})
    _require_dense("output", {alias: signature.outputs[alias] for alias in aliases})
    fetches = tuple(signature.outputs[alias].name for alias in aliases)
    if len(aliases) < len(signature.outputs) and not model.takes_choice(fetches):
        aliases = tuple(
            alias for alias in sorted(signature.outputs) if signature.outputs[alias].name
        )
        fetches = tuple(signature.outputs[alias].name for alias in aliases)
    feeds = {signature.inputs[alias].name: value for alias, value in values.items()}
    return SignatureCall(model, feeds, fetches, aliases)


def _with_defaults(signature: SignatureDef, inputs: Mapping[str, NDArray[Any]]) -> Tensors:
    values = {alias: from_proto(proto, alias) for alias, proto in signature.defaults.items()}
    values.update(inputs)
    extra, missing = set(inputs) - set(signature.inputs), set(signature.inputs) - set(values)
    if extra or missing:
        raise invalid_argument(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)}"
            f" len({_braces(inputs)}) != len({_braces(signature.inputs)})."
            f" Sent extra: {_braces(extra)}. Missing but required: {_braces(missing)}."
        )
    return values


def _requested_outputs(signature: SignatureDef, output_filter: Sequence[str]) -> tuple[str, ...]:
    for position, alias in enumerate(output_filter):
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias}"
                f" Outputs expected to be in the set {_braces(signature.outputs)}."
            )
        if alias in output_filter[:position]:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
    return tuple(sorted(output_filter or signature.outputs))


def _require_types(signature: SignatureDef, values: Tensors) -> None:
    """TensorFlow would say it of the whole batch, in words that name no input."""
    for alias, value in values.items():
        if fault := type_fault(value, signature.inputs[alias].dtype):
            raise invalid_argument(f"The input {alias} {fault}.")


def _require_dense(what: str, infos: Mapping[str, Any]) -> None:
    for alias, info in infos.items():
        if not info.name:
            raise ServingError(
                grpc.StatusCode.UNIMPLEMENTED,
                f"The {what} {alias} is a sparse or ragged tensor, expected a dense one."
                f"{_OUTPUT_ADVICE if what == 'output' else ''} Export a signature with its dense"
                " form or its parts.",
            )


def _braces(names: Collection[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
