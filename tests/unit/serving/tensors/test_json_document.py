"""The JSON of a request's body."""

import math

import pytest

from serving.errors import ServingError
from serving.limits import Limits
from serving.tensors.json_document import parse_document


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b' {"a": [1, 2.5, true, null, "\xc3\xa9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (b'{"a": -Infinity, "b": 1}', {"a": -math.inf, "b": 1}),
        (b'{"a": 18446744073709551616}', {"a": 2.0**64}),
        (b'{"a": [NaN, 18446744073709551616, -9223372036854775809]}', None),
        (b'{"a": 1} what follows', {"a": 1}),
        (b'{"a": 1}\x00', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_tensorflow_serving_reads_is_read(body: bytes, expected: object) -> None:
    document = parse_document(body, Limits())
    if expected is None:
        assert math.isnan(document["a"][0])
        assert document["a"][1:] == [2.0**64, -(2.0**63)]
    else:
        assert document == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1]",
        b'"a"',
        b"\xff",
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": NaN, "b": ' + b"9" * 5000 + b"}",
        b'{"a": 1e400}',
        b'{"a": [-Infinity, -2e308]}',
        b'{"a": ' + b"9" * 350 + b"}",
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' * 100_000,
        b"NaN",
        b'{"a": "\\ud800"}',
        b'{"\\udc00": NaN}',
        b'{"a": NaN, "b": ' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ServingError) as caught:
        parse_document(body, Limits())
    assert caught.value.http_status == 400
    assert "JSON" in caught.value.message


@pytest.mark.parametrize(
    ("piece", "count"), [(b"[],", 8000), (b"{},", 4000), (b"1,", 27000), (b'"",', 11000)]
)
def test_small_json_that_becomes_large_is_refused(piece: bytes, count: int) -> None:
    limits = Limits(json_bytes=2**20)
    start, end = b'{"a": [', b"0]}"
    assert len(parse_document(start + piece * (count // 2) + end, limits)["a"]) == count // 2 + 1
    with pytest.raises(ServingError, match="would take about 1 MiB of memory once it is parsed"):
        parse_document(start + piece * count + end, limits)


def test_text_takes_no_more_than_its_length() -> None:
    document = parse_document(b'{"a": "' + b"x" * 2**20 + b'"}', Limits(json_bytes=2**19))
    assert len(document["a"]) == 2**20
