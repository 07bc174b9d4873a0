"""TensorFlow Serving's REST API, as its documentation and its own tests have it."""

import gzip
import http.client
import json
from base64 import b64encode
from typing import Any

import pytest

HALF = "/v1/models/half_plus_two"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instances": [2.0, 3.0, 4.0]}, {"predictions": [3.0, 3.5, 4.0]}),
        ({"instances": [{"x": 2.0}, {"x": 3.0}]}, {"predictions": [3.0, 3.5]}),
        ({"inputs": [2.0, 3.0, 4.0]}, {"outputs": [3.0, 3.5, 4.0]}),
        ({"inputs": {"x": [2, 3]}}, {"outputs": [3.0, 3.5]}),
        ({"signature_name": "serving_default", "instances": [[2.0]]}, {"predictions": [[3.0]]}),
    ],
)
def test_predict(server: Any, body: object, answer: object) -> None:
    assert server.ask("POST", f"{HALF}:predict", body) == (200, answer)
    assert server.ask("POST", f"{HALF}/versions/123:predict", body) == (200, answer)
    zipped = gzip.compress(json.dumps(body).encode())
    headers = {"Content-Encoding": "gzip"}
    assert server.ask("POST", f"{HALF}:predict", zipped, headers) == (200, answer)


def test_inputs_and_outputs_of_several_types(server: Any) -> None:
    row = {"text": {"b64": b64encode(b"a").decode()}, "count": 3, "rates": [0.5, 2]}
    prediction = {"twice": 6, "total": 2.5, "upper_bytes": {"b64": b64encode(b"A").decode()}}
    path = "/v1/models/mixed:predict"
    assert server.ask("POST", path, {"instances": [row]}) == (200, {"predictions": [prediction]})
    columns = {name: [value] for name, value in row.items()}
    expected = {name: [value] for name, value in prediction.items()}
    assert server.ask("POST", path, {"inputs": columns}) == (200, {"outputs": expected})
    look_up = {"signature_name": "look_up", "inputs": ["green", "naïve", "none"]}
    assert server.ask("POST", path, look_up) == (200, {"outputs": [1, 2, -1]})
    scalar = {"signature_name": "scalar", "inputs": 1.5}
    assert server.ask("POST", path, scalar) == (200, {"outputs": 3.0})
    rows = {"signature_name": "scalar", "instances": [1.5]}
    status, answer = server.ask("POST", path, rows)
    assert (status, list(answer)) in ((200, ["predictions"]), (400, ["error"]))


def test_classify_and_regress(server: Any) -> None:
    classify = {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}]}
    assert server.ask("POST", f"{HALF}:classify", classify) == (200, {"results": [[["", 3.0]]]})
    named = {"signature_name": "classify", "examples": [{"x": 0.25}]}
    answer = {"results": [[["yes", 0.25], ["no", 0.75]]]}
    assert server.ask("POST", "/v1/models/mixed:classify", named) == (200, answer)
    regress = {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}
    assert server.ask("POST", f"{HALF}:regress", regress) == (200, {"results": [3.0]})
    context = {"signature_name": "regress_x_to_y", "context": {"x": 2.0}, "examples": [{}]}
    assert server.ask("POST", f"{HALF}:regress", context) == (200, {"results": [3.0]})


@pytest.mark.parametrize("path", ["", "/versions/123", "/labels/any"])
def test_status(server: Any, path: str) -> None:
    status = {"error_code": "OK", "error_message": ""}
    version = {"version": "123", "state": "AVAILABLE", "status": status}
    assert server.ask("GET", HALF + path) == (200, {"model_version_status": [version]})


def test_metadata(server: Any) -> None:
    status, answer = server.ask("GET", f"{HALF}/metadata")
    assert status == 200
    spec = {"name": "half_plus_two", "signature_name": "", "version": "123"}
    assert answer["model_spec"] == spec
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    regress = signatures["regress_x_to_y"]
    assert regress["method_name"] == "tensorflow/serving/regress"
    assert regress["inputs"]["inputs"] == {
        "dtype": "DT_STRING",
        "name": "tf_example:0",
        "tensor_shape": {"dim": [{"name": "", "size": "-1"}], "unknown_rank": False},
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/v1/models", None, 400, "Missing model name in request."),
        ("GET", "/v1/models/nobody", None, 404, "Could not find any versions of model nobody"),
        ("GET", f"{HALF}/versions/9", None, 404, "Could not find version 9 of model half_plus_two"),
        ("GET", f"{HALF}:predict", None, 400, f"Malformed request: GET {HALF}:predict"),
        ("POST", HALF, {}, 400, f"Malformed request: POST {HALF}"),
        ("POST", "/v1/models/nobody:predict", {"instances": [1]}, 404, "Latest(nobody)"),
        ("POST", f"{HALF}/versions/9:predict", {"instances": [1]}, 404, "Specific(half_plus_two,"),
        ("POST", f"{HALF}/labels/l:predict", {"instances": [1]}, 400, "version label: l"),
        ("POST", f"{HALF}:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        ("POST", f"{HALF}:predict", {"instances": []}, 400, "No values in 'instances' array"),
        ("POST", f"{HALF}:predict", {"instances": ["a"]}, 400, "not of expected type: float"),
        ("POST", f"{HALF}:predict", {"instances": [1, [2]]}, 400, "instances"),
        ("POST", f"{HALF}:predict", {"instances": [{"z": 1}]}, 400, "z"),
        ("POST", f"{HALF}:predict", b"", 400, "The document is empty"),
        ("POST", f"{HALF}:predict", b"{", 400, "JSON Parse error"),
        ("POST", f"{HALF}:classify", {"signature_name": "classify_x_to_y"}, 400, "examples"),
        ("POST", f"{HALF}:predict", {"signature_name": "s", "inputs": [1]}, 400, '"s" not found'),
        ("DELETE", f"{HALF}:predict", None, 400, "Malformed request: DELETE"),
        ("GET", "/v1/models/..%2F..%2Fetc", None, 404, "Could not find any versions of model"),
    ],
)  # fmt: skip
def test_errors(
    server: Any, method: str, path: str, body: object, status: int, message: str
) -> None:
    found, answer = server.ask(method, path, body)
    assert (found, list(answer)) == (status, ["error"])
    assert message in answer["error"]


def test_prometheus_page(server: Any) -> None:
    assert server.ask("POST", f"{HALF}:predict", {"instances": [2.0]})[0] == 200
    connection = http.client.HTTPConnection(server.rest, timeout=30)
    connection.request("GET", "/monitoring/prometheus/metrics")
    response = connection.getresponse()
    page = response.read().decode("utf-8")
    connection.close()
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "# TYPE :tensorflow:serving:request_count counter" in page
    assert ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"}' in page
    assert ":tensorflow:serving:request_latency_bucket{" in page
