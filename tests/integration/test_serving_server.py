"""The embedded server over real sockets: answers and errors."""

import gzip
import json
import shutil
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from serving_requests import request_json, rest_url, server_settings
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from models.errors import UsageError
from serving.client import PredictionError, predict_grpc, predict_rest
from serving.server.model_server import ModelServer
from serving.server.settings import ServerSettings
from serving.tensors.tensor_protos import from_proto, to_proto

Answer = Callable[[Path, list[bytes]], np.ndarray]


@pytest.fixture(scope="module")
def server(
    small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    base_path = tmp_path_factory.mktemp("base")
    shutil.copytree(small_models[0], base_path / "00000007")
    (base_path / "notes").mkdir()
    with ModelServer(server_settings(base_path)) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server: ModelServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as opened:
        yield opened


def _error(
    server: ModelServer, method: str, path: str, body: bytes | None = None
) -> tuple[int, str]:
    status, content = request_json(server, method, path, body)
    assert list(content) == ["error"]
    return status, content["error"]


def _b64(images: list[bytes]) -> list[dict[str, str]]:
    return [{"b64": b64encode(image).decode()} for image in images]


def test_rest_and_grpc_give_what_the_model_gives(
    server: ModelServer, small_models: tuple[Path, Path], pictures: list[bytes], answer_of: Answer
) -> None:
    expected = answer_of(small_models[0], pictures)
    rest = predict_rest(rest_url(server), "m", pictures)
    grpc_answer = predict_grpc(f"127.0.0.1:{server.grpc_port}", "m", pictures)
    for answer in (rest, grpc_answer):
        np.testing.assert_allclose(answer.probabilities, expected, atol=1e-6)
        np.testing.assert_array_equal(answer.class_ids, np.argsort(-expected, axis=1))
        np.testing.assert_allclose(answer.scores, -np.sort(-expected, axis=1), atol=1e-6)
        names = np.array(["dark", "naïve", "red"])
        assert answer.labels == tuple(tuple(names[row]) for row in answer.class_ids)


def test_row_and_column_formats(server: ModelServer, pictures: list[bytes]) -> None:
    images = _b64(pictures[:2])
    rows = json.dumps({"instances": [{"image_bytes": image} for image in images]}).encode()
    plain = json.dumps({"signature_name": "serving_default", "instances": images}).encode()
    columns = json.dumps({"inputs": images}).encode()
    _, by_row = request_json(server, "POST", "/v1/models/m:predict", rows)
    _, by_plain_row = request_json(server, "POST", "/v1/models/m/versions/7:predict", plain)
    _, by_column = request_json(server, "POST", "/V1/Models/m:Predict", columns)
    assert by_row == by_plain_row
    assert sorted(by_column["outputs"]) == ["class_ids", "labels", "probabilities"]
    for position, row in enumerate(by_row["predictions"]):
        assert row == {key: values[position] for key, values in by_column["outputs"].items()}


def test_a_gzipped_body_is_read(server: ModelServer, pictures: list[bytes]) -> None:
    body = gzip.compress(json.dumps({"inputs": _b64(pictures)}).encode())
    path = "/v1/models/m:predict"
    status, answer = request_json(server, "POST", path, body, Content_Encoding="gzip")
    assert (status, len(answer["outputs"]["labels"])) == (200, 3)
    status, answer = request_json(server, "POST", path, b"no gzip", Content_Encoding="gzip")
    assert (status, answer["error"]) == (400, "The body is not valid gzip data.")


def test_status_over_rest_and_grpc(server: ModelServer, channel: grpc.Channel) -> None:
    good = {"error_code": "OK", "error_message": ""}
    available = {"version": "7", "state": "AVAILABLE", "status": good}
    for path in ("/v1/models/m", "/v1/models/m/versions/7", "/v1/models/m/labels/any"):
        assert request_json(server, "GET", path) == (200, {"model_version_status": [available]})
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "m"
    response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request)
    assert [(v.version, v.state) for v in response.model_version_status] == [(7, 30)]


def test_metadata_over_rest_and_grpc(server: ModelServer, channel: grpc.Channel) -> None:
    status, content = request_json(server, "GET", "/v1/models/m/metadata")
    assert (status, content["model_spec"]) == (
        200,
        {"name": "m", "version": "7", "signature_name": ""},
    )
    signature = content["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signature["outputs"]["probabilities"]["tensor_shape"]["dim"][1]["size"] == "3"
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "m"
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    response = stub.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert list(signatures.signature_def) == ["serving_default"]
    assert response.model_spec.version.value == 7


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/models/x", 404, "Could not find any versions of model x"),
        ("GET", "/v1/models/m/versions/9", 404, "Could not find version 9 of model m"),
        ("GET", "/v1/models/m/versions/7/labels/a", 400, "Malformed request: GET "),
        ("GET", "/v1/nothing", 400, "Malformed request: GET /v1/nothing"),
        ("GET", "/v1/models/m:predict", 400, "Malformed request: GET /v1/models/m:predict"),
        ("PUT", "/v1/models/m", 400, "Malformed request: PUT /v1/models/m"),
        ("POST", "/v1/models/x:predict", 404, "Servable not found for request: Latest(x)"),
        ("POST", "/v1/models/m/versions/9:predict", 404, "request: Specific(m, 9)"),
        ("POST", "/v1/models/m/labels/l:predict", 400, "Unrecognized servable version label: l"),
        ("POST", f"/v1/models/m/versions/{2**63}:predict", 400, "Failed to convert version: "),
    ],
)
def test_rest_errors_of_the_path(
    server: ModelServer, method: str, path: str, status: int, message: str
) -> None:
    body = b'{"instances": ["x"]}' if method == "POST" else None
    got_status, got_message = _error(server, method, path, body)
    assert (got_status, message in got_message) == (status, True), got_message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"{", "JSON Parse error: "),
        (b"[1]", "Is not object"),
        (b"\xff", "JSON Parse error: Invalid encoding in string."),
        (b"[" * 100_000, "JSON Parse error: nested too deeply"),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"signature_name": 1}', "'signature_name' key must be a string value."),
        (b'{"signature_name": "s"}', 'Serving signature name: "s" not found in signature def'),
        (b'{"instances": [1]}', "JSON Value: 1 Type: Number is not of expected type: string"),
        (b'{"instances": [{"b64": "*"}]}', "Unable to base64 decode"),
        (b'{"instances": ["no image"]}', "Unknown image file format"),
    ],
)
def test_rest_errors_of_the_body(server: ModelServer, body: bytes, message: str) -> None:
    status, got = _error(server, "POST", "/v1/models/m:predict", body)
    assert (status, message in got) == (400, True), got


def test_a_path_outside_of_the_api_is_not_found(server: ModelServer) -> None:
    assert request_json(server, "GET", "/") == (404, {"error": "There is nothing at /"})


def test_what_is_no_http_is_refused(server: ModelServer) -> None:
    assert server.rest_port is not None
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) as connection:
        connection.sendall(b"nonsense of a request\r\n\r\n")
        assert b'{"error":' in connection.makefile("rb").read()


def _request(images: list[bytes]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["image_bytes"].CopyFrom(to_proto(np.array(images, object)))
    return request


def test_grpc_fills_typed_fields_and_says_who_answered(
    channel: grpc.Channel, pictures: list[bytes]
) -> None:
    request = _request(pictures)
    request.output_filter.append("probabilities")
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request)
    assert list(response.outputs) == ["probabilities"]
    assert len(response.outputs["probabilities"].float_val) == 9
    assert response.outputs["probabilities"].tensor_content == b""
    assert response.model_spec.version.value == 7
    assert response.model_spec.signature_name == "serving_default"


def _refusal(channel: grpc.Channel, request: predict_pb2.PredictRequest) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request)
    return caught.value.code().name, caught.value.details()


def test_grpc_errors(channel: grpc.Channel, pictures: list[bytes]) -> None:
    nameless = predict_pb2.PredictRequest()
    assert _refusal(channel, nameless) == ("INVALID_ARGUMENT", "Missing ModelSpec")

    unknown = _request(pictures)
    unknown.model_spec.signature_name = "s"
    message = 'Serving signature key "s" not found.'
    assert _refusal(channel, unknown) == ("FAILED_PRECONDITION", message)

    misnamed = _request(pictures)
    misnamed.inputs["other"].CopyFrom(misnamed.inputs["image_bytes"])
    message = (
        "input size does not match signature: 2!=1 len({image_bytes,other}) != len({image_bytes})."
        " Sent extra: {other}. Missing but required: {}."
    )
    assert _refusal(channel, misnamed) == ("INVALID_ARGUMENT", message)

    mistyped = _request(pictures)
    mistyped.inputs["image_bytes"].CopyFrom(to_proto(np.zeros(2, np.float32)))
    assert _refusal(channel, mistyped)[0] == "INVALID_ARGUMENT"

    malformed = _request(pictures)
    malformed.inputs["image_bytes"].tensor_shape.dim[0].size = 9
    del malformed.inputs["image_bytes"].string_val[:]
    malformed.inputs["image_bytes"].tensor_content = b"\1"
    code, message = _refusal(channel, malformed)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith("tensor parsing error: image_bytes: tensor_content ends")

    filtered = _request(pictures)
    filtered.output_filter.extend(["nothing"])
    assert "output tensor alias not found in signature: nothing" in _refusal(channel, filtered)[1]
    filtered.output_filter[:] = ["labels", "labels"]
    assert _refusal(channel, filtered)[1] == "duplicate output tensor alias: labels"


@pytest.mark.parametrize(
    "dtype", ["float16", "float64", "int8", "uint8", "int64", "uint32", "bool"]
)
def test_tensors_survive_the_proto(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 100, 5]]).astype(dtype)
    np.testing.assert_array_equal(from_proto(to_proto(array), "x"), array)


def test_client_errors_are_words(server: ModelServer, pictures: list[bytes]) -> None:
    with pytest.raises(PredictionError, match=r"answers 404: Servable not found"):
        predict_rest(rest_url(server), "other", pictures)
    with pytest.raises(PredictionError, match=r"Servable not found.*NOT_FOUND"):
        predict_grpc(f"127.0.0.1:{server.grpc_port}", "other", pictures)
    with pytest.raises(UsageError, match="Not the address of a server"):
        predict_rest("ftp://somewhere", "m", pictures)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(PredictionError, match="graft serve"):
            predict_rest(address, "m", pictures)
        with pytest.raises(PredictionError, match="graft serve"):
            predict_grpc(address, "m", pictures, timeout=60)
        deaf.listen()
        with pytest.raises(PredictionError, match=r"did not answer within 0\.2 s"):
            predict_rest(f"http://{address}", "m", pictures, timeout=0.2)


def test_a_taken_port_is_an_error_in_words(server: ModelServer, tmp_path: Path) -> None:
    for port, rest_port in ((server.grpc_port, None), (None, server.rest_port)):
        settings = ServerSettings("m", tmp_path, port=port, rest_api_port=rest_port)
        with pytest.raises(UsageError, match="cannot be opened"):
            ModelServer(settings)
