"""A copied gRPC request as the REST request that asks the same.

Read by hand: TensorFlow, which brings the messages, takes more memory than all of a gateway.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from serving.rollout.unpacking import unpacked

_PREFIX_BYTES: Final = 5
_PLAIN, _PACKED = b"\0", b"\1"
_STRING: Final = 7
"""TensorFlow's number of the type."""
_NAME, _VERSION, _SIGNATURE, _LABEL = 1, 2, 3, 4
_VARINT, _EIGHT_BYTES, _TEXT, _FOUR_BYTES = 0, 1, 2, 5


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
    except (ValueError, TypeError, KeyError):
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


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("expected a message or a text")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field (https://protobuf.dev/programming-guides/encoding)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _TEXT:
            size, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError("it is no message")
        if at + size > len(message):
            raise ValueError("it is cut short")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(message):
            break
        byte = message[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at + place + 1
    raise ValueError("it is cut short")
