"""Reads the JSON of a request: fast, and within a bound of memory."""

import json
import math
from typing import Any, Final

import numpy as np
import orjson

from serving.errors import invalid_argument
from serving.limits import Limits

_BYTES_OF: Final = {",": 40, "[": 96, "{": 240, '"': 32}
"""At most so many bytes of Python objects come with each of these characters."""

_CHUNK: Final = 2**20
_MOST_WHOLE_DIGITS: Final = 20
_LONGEST_TEXT: Final = 100


def parse_document(body: bytes | bytearray, limits: Limits) -> dict[str, Any]:
    """Parses the JSON object of a request.

    NaN, Infinity and -Infinity are numbers, as they are for TensorFlow Serving, and what follows
    the object is ignored. Whole numbers of more than 64 bits become floats.

    Raises:
        ServingError: it is no JSON object, or would take too much memory.
    """
    if len(body) * max(_BYTES_OF.values()) > limits.json_bytes:
        _require_memory(body, limits)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {short_text(document)} Is not object")
    return document


def short_text(value: Any) -> str:
    """A JSON value for a message, cut where it is long."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def _require_memory(body: bytes | bytearray, limits: Limits) -> None:
    needed = 0
    for start in range(0, len(body), _CHUNK):
        codes = np.frombuffer(body, np.uint8, min(_CHUNK, len(body) - start), start)
        for character, size in _BYTES_OF.items():
            needed += size * int(np.count_nonzero(codes == ord(character)))
    if needed > limits.json_bytes:
        raise invalid_argument(
            f"The JSON would take about {needed >> 20} MiB of memory once it is parsed, and the"
            f" limit is {limits.json_bytes >> 20} MiB. Send fewer instances at a time, or images"
            " as base64 of JPEG or PNG instead of lists of numbers."
        )


def _parse_leniently(body: bytes | bytearray) -> Any:
    """Parses what the fast parser refuses, or says what is wrong with it.

    The functions for numbers are Python's, not C's, so that other threads get their turn.
    """
    decoder = json.JSONDecoder(
        parse_float=_number,
        parse_int=_whole_number,
        parse_constant=_constant,
    )
    try:
        text = body.decode("utf-8").lstrip(" \t\r\n")
        if not text:
            raise invalid_argument("JSON Parse error: The document is empty")
        document, _ = decoder.raw_decode(text)
        # It is written for the check alone: halves of surrogate pairs cannot be.
        orjson.dumps(document)
    except json.JSONDecodeError as error:
        raise invalid_argument(f"JSON Parse error: {error}") from error
    except UnicodeDecodeError as error:
        raise invalid_argument(f"JSON Parse error: Invalid encoding in string. {error}") from error
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: nested too deeply") from error
    except orjson.JSONEncodeError as error:
        raise invalid_argument(f"JSON Parse error: {error}") from error
    return document


def _constant(name: str) -> float:
    return float(name)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise invalid_argument(
            f"JSON Parse error: Number too big to be stored in double: {text[:_LONGEST_TEXT]}"
        )
    return number


def _whole_number(digits: str) -> int | float:
    # Python needs quadratic time for whole numbers of many digits.
    number = int(digits) if len(digits) <= _MOST_WHOLE_DIGITS else None
    if number is not None and -(2**63) <= number < 2**64:
        return number
    return _number(digits)
