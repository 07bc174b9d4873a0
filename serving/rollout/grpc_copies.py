"""A copied gRPC request as the REST request that asks the same.

Read as a message of unknown fields: TensorFlow, which brings the messages, takes more memory than
all of a gateway.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from google.protobuf import empty_pb2
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from serving.rollout.unpacking import unpacked

_PREFIX_BYTES: Final = 5
_PLAIN, _PACKED = b"\0", b"\1"
_STRING: Final = 7
"""TensorFlow's number of the type."""
_NAME, _VERSION, _SIGNATURE, _LABEL = 1, 2, 3, 4


def as_rest(content: bytes, model_name: str) -> bytes | None:
    """Makes JSON of a `PredictRequest`.

    Args:
        content: one message as gRPC sends it.
        model_name: the model that is compared.

    Returns:
        The body of a REST request; None where the request asks for another model, names a version,
        or holds anything but lists of strings such as encoded images.
    """
    length = int.from_bytes(content[1:_PREFIX_BYTES], "big")
    if content[:1] not in (_PLAIN, _PACKED) or len(content) != _PREFIX_BYTES + length:
        return None
    message: bytes | None = content[_PREFIX_BYTES:]
    if content[:1] == _PACKED:
        message = unpacked(content[_PREFIX_BYTES:])
    if message is None:
        return None
    try:
        return _body(message, model_name)
    except (DecodeError, ValueError, TypeError, KeyError):
        return None


def _body(message: bytes, model_name: str) -> bytes:
    document: dict[str, object] = {}
    inputs = {}
    for number, value in _fields(message):
        if number == 1:
            spec = dict(_fields(_bytes(value)))
            if spec.get(_NAME) != model_name.encode() or _VERSION in spec or _LABEL in spec:
                raise ValueError("it is not for the gateway to choose who answers")
            document["signature_name"] = _bytes(spec.get(_SIGNATURE, b"")).decode()
        elif number == 2:
            entry = dict(_fields(_bytes(value)))
            inputs[_bytes(entry[1]).decode()] = _strings(_bytes(entry[2]))
    if "signature_name" not in document:
        raise ValueError("it is for no model")
    return json.dumps({**document, "inputs": inputs}).encode()


def _strings(tensor: bytes) -> list[dict[str, str]]:
    """The values of a tensor of strings with one dimension."""
    fields = list(_fields(tensor))
    values = [_bytes(value) for number, value in fields if number == 8]
    sizes = [
        dict(_fields(_bytes(dimension))).get(1)
        for number, value in fields
        if number == 2
        for _, dimension in _fields(_bytes(value))
    ]
    if dict(fields).get(1) != _STRING or sizes != [len(values)]:
        raise ValueError("it is no list of strings")
    return [{"b64": b64encode(value).decode()} for value in values]


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("expected a message or a text")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, object]]:
    """Number and value of each field: of those with a length the bytes, else a number."""
    for field in UnknownFieldSet(empty_pb2.Empty.FromString(message)):
        yield field.field_number, field.data
