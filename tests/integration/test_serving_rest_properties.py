"""Requests to REST that nobody thought of: an answer each, never a 500, and good ones as ever.

`python -m pytest --hypothesis-profile=large` makes 50,000 of each kind instead of 300.
"""

import gzip
import json
import math
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import tensorflow as tf
from hypothesis import given, note, strategies as st
from raw_http import exchange, post
from serving_requests import server_settings

from serving.server.model_server import ModelServer

MIXED = {
    "flag": tf.bool,
    "half": tf.float16,
    "single": tf.float32,
    "brain": tf.bfloat16,
    "tiny": tf.int8,
    "count": tf.uint64,
    "text": tf.string,
}
GOOD = {
    "flag": [True],
    "half": [0.5],
    "single": [1],
    "brain": [2],
    "tiny": [-3],
    "count": [2**64 - 1],
    "text": ["é"],
}
EXPECTED = {"outputs": GOOD}
ANSWERS = {200, 400, 404, 413, 415, 431, 501}

numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0, math.nan, -math.inf]),
)
texts = st.one_of(st.text(max_size=8), st.sampled_from(["\ud800", "\0", "NaN", "x" * 3000]))
encoded = st.one_of(
    st.binary(max_size=12).map(lambda content: b64encode(content).decode()),
    st.text("AQg=/+- \n", max_size=9),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    st.fixed_dictionaries({"b64": encoded}),
    st.fixed_dictionaries({"b64": st.one_of(numbers, texts)}),
)
names = st.one_of(st.sampled_from([*MIXED, "b64", "image", "x"]), st.text(max_size=4))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
rows = st.one_of(
    st.lists(leaves, max_size=4),
    st.lists(st.fixed_dictionaries(dict.fromkeys(MIXED, leaves)), min_size=1, max_size=3),
    values,
)
columns = st.one_of(
    st.fixed_dictionaries({name: st.lists(leaves, max_size=3) for name in MIXED}), values
)
documents = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "instances": rows,
            "inputs": columns,
            "examples": st.one_of(st.lists(st.dictionaries(names, values), max_size=3), values),
            "context": values,
            "signature_name": st.one_of(
                st.sampled_from(["", "serving_default", "images", "classify", "regress", "none"]),
                leaves,
            ),
        },
    ),
    values,
)
paths = st.one_of(
    st.builds(
        "/v1/models/m{}:{}".format,
        st.sampled_from(["", "", "/versions/1", "/versions/2", "/labels/a"]),
        st.sampled_from(["predict", "predict", "Predict", "classify", "regress"]),
    ),
    st.builds(
        "/{}".format,
        st.lists(
            st.one_of(
                st.sampled_from(
                    ["v1", "V1", "models", "m", "m:predict", "versions", "labels", "metadata"]
                ),
                st.sampled_from(["..", "%2e%2e", "%", "%zz", "%00", "", ":", "1", "9" * 30, "?a"]),
                st.text(max_size=6).map(lambda text: quote(text.encode("utf-8", "replace"))),
                st.text(max_size=6),
            ),
            max_size=7,
        ).map("/".join),
    ),
    st.sampled_from(["/livez", "/readyz", "/", "*", "http://a/v1/models/m", "//"]),
)
bodies = st.one_of(
    documents.map(lambda document: json.dumps(document).encode()),
    documents.map(
        lambda document: json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ),
    st.binary(max_size=40),
)
methods = st.sampled_from(["POST"] * 6 + ["GET"] * 4 + ["PUT", "DELETE", "OPTIONS", "TRACE", "X"])
headers = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Content-Encoding: gzip",
                "Content-Encoding: x",
                "Transfer-Encoding: chunked",
                "Content-Length: 3",
                "Expect: 100-continue",
                "Connection: close",
                "Connection: Upgrade",
                "Upgrade: h2c",
                "Origin: http://a",
            ]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=20),
    ),
    max_size=2,
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    base_path = tmp_path_factory.mktemp("mixed")
    _export(base_path / "1")
    with ModelServer(server_settings(base_path)) as server:
        assert server.rest_port is not None
        yield server.rest_port
        assert server._runner._requests == 0
        bodies_in_memory = server._rest._api._bodies  # type: ignore[union-attr]
        assert bodies_in_memory.free == 4 * bodies_in_memory.limits.body_bytes


def _export(directory: Path) -> None:
    module = tf.Module()

    @tf.function(
        input_signature=[tf.TensorSpec(None, dtype, name) for name, dtype in MIXED.items()]
    )
    def mixed(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.identity(tensor) for name, tensor in zip(MIXED, tensors, strict=True)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image")])
    def images(image: tf.Tensor) -> dict[str, tf.Tensor]:
        def pixels(one: tf.Tensor) -> tf.Tensor:
            return tf.size(tf.io.decode_image(one))

        return {"pixels": tf.map_fn(pixels, image, fn_output_signature=tf.int32)}

    features = {"x": tf.io.FixedLenFeature([2], tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": tf.io.parse_example(inputs, features)["x"]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def regress(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.io.parse_example(inputs, features)["x"][:, 0]}

    signatures = {"images": images, "classify": classify, "regress": regress}
    tf.saved_model.save(module, str(directory), {"serving_default": mixed} | signatures)


def _check(port: int, request: bytes) -> int:
    answer = exchange(port, request)
    assert answer is not None
    note(f"{answer.status} {answer.body[:300]!r}")
    assert answer.status in ANSWERS
    assert answer.headers["content-type"] == "application/json"
    if answer.status != 200:
        assert list(json.loads(answer.body)) == ["error"]
    return answer.status


def _check_good(port: int) -> None:
    answer = exchange(port, post("/v1/models/m:predict", json.dumps({"inputs": GOOD}).encode()))
    assert answer is not None
    assert (answer.status, json.loads(answer.body)) == (200, EXPECTED)


@given(paths, bodies, st.booleans())
def test_any_body_is_answered(port: int, path: str, body: bytes, compress: bool) -> None:
    more = ["Content-Encoding: gzip"] if compress else []
    head = path.encode("utf-8", "replace").decode("latin-1").replace(" ", "%20")
    _check(port, post(head, gzip.compress(body) if compress else body, *more))
    _check_good(port)


@given(methods, paths, headers, bodies)
def test_any_head_is_answered(
    port: int, method: str, path: str, lines: list[str], body: bytes
) -> None:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines]).encode("utf-8", "replace")
    length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    # Whatever the headers made of the body, its end is the end of the connection.
    exchange(port, head + length + body)
    _check_good(port)
