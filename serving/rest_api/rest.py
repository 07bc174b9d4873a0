"""TensorFlow Serving's REST API on the models of a registry, without the HTTP around it.

Routes, status codes and messages: https://www.tensorflow.org/tfx/serving/api_rest.
"""

import json
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.json_format import MessageToJson

from serving.errors import ServingError, invalid_argument
from serving.inference.signature_call import predict
from serving.servables.loader import DEFAULT_SIGNATURE
from serving.servables.model_messages import Message, model_spec, signature_map, status_response
from serving.servables.registry import Registry, Target
from serving.tensors.json_inputs import inputs_from_json
from serving.tensors.json_outputs import outputs_to_json

_VERSION_OR_LABEL: Final = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT: Final = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION_OR_LABEL}:(?P<method>classify|regress|predict)",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION_OR_LABEL}(?P<metadata>/metadata)?", re.IGNORECASE
)
_LARGEST_VERSION: Final = 2**63 - 1

# RapidJSON's words, which TensorFlow Serving passes on, by the start of Python's.
_PARSE_ERRORS: Final = {
    "Expecting property name": "Missing a name for object member.",
    "Expecting ':'": "Missing a colon after a name of object member.",
    "Unterminated string": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX": "Incorrect hex digit after \\u escape in string.",
}


@dataclass(frozen=True)
class Response:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: JSON.
    """

    status: int
    body: bytes


class RestApi:
    """Answers requests below `/v1/`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """Answers one request; every error is an answer too.

        Args:
            method: GET or POST.
            path: percent-encoded, without the query.
            body: JSON of a POST.
        """
        try:
            text = self._route(method, path, body)
        except ServingError as error:
            return error_response(error)
        return Response(200, text.encode("utf-8", "surrogatepass"))

    def _route(self, method: str, path: str, body: bytes) -> str:
        if method == "POST" and (match := _PREDICT.fullmatch(path)):
            if match["method"].lower() != "predict":
                message = f"{match['method']} is not supported; use predict."
                raise ServingError(grpc.StatusCode.UNIMPLEMENTED, message)
            return self._predict(_target(match), body)
        if method == "GET" and (match := _STATUS.fullmatch(path)):
            if match["name"] is None:
                raise invalid_argument("Missing model name in request.")
            target = _target(match)
            return self._metadata(target) if match["metadata"] else self._status(target)
        raise invalid_argument(f"Malformed request: {method} {path}")

    def _predict(self, target: Target, body: bytes) -> str:
        document = parse_document(body)
        name = document.get("signature_name", DEFAULT_SIGNATURE)
        if not isinstance(name, str):
            raise invalid_argument("'signature_name' key must be a string value.")
        with self._registry.lease(target) as lease:
            signature = lease.model.signatures.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                message = f'Serving signature name: "{name}" not found in signature def'
                raise invalid_argument(message)
            inputs, by_row = inputs_from_json(document, signature)
            outputs = predict(lease.model, signature, inputs)
        return outputs_to_json(outputs, by_row)

    def _status(self, target: Target) -> str:
        return _to_json(status_response(self._registry.statuses(target)), proto_names=False)

    def _metadata(self, target: Target) -> str:
        with self._registry.lease(target) as lease:
            spec, signatures = model_spec(lease), signature_map(lease)
        # The map would be an Any inside the response; TensorFlow Serving writes it out plainly too.
        return (
            f'{{\n"model_spec":{_to_json(spec, proto_names=True)},\n"metadata": '
            f'{{"signature_def": {_to_json(signatures, proto_names=True)}}}\n}}\n'
        )


def error_response(error: ServingError) -> Response:
    """The answer that tells a client about `error`."""
    text = json.dumps({"error": error.message}, indent=4, ensure_ascii=False)
    return Response(error.http_status, text.encode("utf-8", "replace"))


def parse_document(body: bytes) -> dict[str, Any]:
    """Parses the JSON object of a request; what follows it is ignored, as TensorFlow Serving does.

    Raises:
        ServingError: it is no JSON object.
    """
    try:
        text = body.decode("utf-8").lstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise invalid_argument(f"JSON Parse error: Invalid encoding in string. {error}") from error
    if not text:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document, _ = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        words = next((w for start, w in _PARSE_ERRORS.items() if error.msg.startswith(start)), None)
        message = f"JSON Parse error: {words or 'Invalid value.'} at offset: {error.pos}"
        raise invalid_argument(message) from error
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: nested too deeply") from error
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {json.dumps(document)[:256]} Is not object")
    return document


def _target(match: re.Match[str]) -> Target:
    version, label = match["version"], match["label"]
    if version is not None and int(version) > _LARGEST_VERSION:
        raise invalid_argument(f"Failed to convert version: {version} to numeric.")
    return Target(
        urllib.parse.unquote(match["name"]),
        version=None if version is None else int(version),
        label=None if label is None else urllib.parse.unquote(label),
    )


def _to_json(message: Message, proto_names: bool) -> str:
    return str(
        MessageToJson(
            message,
            indent=1,
            always_print_fields_with_no_presence=True,
            preserving_proto_field_name=proto_names,
        )
    )
