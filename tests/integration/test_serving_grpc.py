"""The gRPC API beyond Predict of images: examples, defaults, health, TLS, sockets, the end."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from models.errors import UsageError
from serving.inference.signature_call import SignatureCall
from serving.servables.loader import LoadedModel
from serving.server.model_server import ModelServer
from serving.server.settings import GrpcSettings, ServerSettings
from serving.tensors.tensor_protos import from_proto, to_proto

METHODS = {"CLASSIFY": "tensorflow/serving/classify", "REGRESS": "tensorflow/serving/regress"}


class _Examples(tf.Module):
    """Takes tf.Examples with a feature "x"."""

    @staticmethod
    def _x(inputs: tf.Tensor) -> tf.Tensor:
        features = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        return tf.io.parse_example(inputs, features)["x"]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        x = self._x(inputs)
        classes = tf.tile([["low", "high"]], [tf.shape(x)[0], 1])
        return {"classes": classes, "scores": tf.concat([1 - x, x], axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": self._x(inputs) * 2}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32), tf.TensorSpec([], tf.float32)])
    def scale(self, x: tf.Tensor, factor: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x * factor, "rank": tf.rank(x)}


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("examples")
    module = _Examples()
    signatures = {"serving_default": module.classify, "regress": module.regress}
    tf.saved_model.save(module, str(base / "1"), {**signatures, "scale": module.scale})
    path = base / "1" / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    scale = saved.meta_graphs[0].signature_def["scale"]
    scale.defaults["factor"].CopyFrom(tf.make_tensor_proto(3.0, tf.float32))
    path.write_bytes(saved.SerializeToString())
    return base


@pytest.fixture(scope="module")
def server(base_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    socket_path = tmp_path_factory.mktemp("s") / "grpc"
    settings = ServerSettings(
        "m",
        base_path,
        port=0,
        rest_api_port=None,
        grpc=GrpcSettings(socket_path=socket_path, health_service=True, tensor_content=True),
    )
    with ModelServer(settings) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server: ModelServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as opened:
        yield opened


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> prediction_service_pb2_grpc.PredictionServiceStub:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def _fill(request: Any, *values: float) -> Any:
    for value in values:
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(value)
    return request


def _refusal(call: grpc.UnaryUnaryMultiCallable, request: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code().name, caught.value.details()


def test_classify(stub: prediction_service_pb2_grpc.PredictionServiceStub) -> None:
    request = _fill(classification_pb2.ClassificationRequest(), 0.25, 1.0)
    assert _refusal(stub.Classify, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    request.model_spec.name = "m"
    response = stub.Classify(request)
    rows = [[(c.label, c.score) for c in r.classes] for r in response.result.classifications]
    assert rows == [[("low", 0.75), ("high", 0.25)], [("low", 0.0), ("high", 1.0)]]
    assert response.model_spec.signature_name == "serving_default"
    request.model_spec.signature_name = "none"
    message = "No signature was found with the name: none"
    assert _refusal(stub.Classify, request) == ("INVALID_ARGUMENT", message)
    request.model_spec.signature_name = "regress"
    assert _refusal(stub.Classify, request)[0] == "FAILED_PRECONDITION"
    request.model_spec.signature_name = "scale"
    message = "Expected one input Tensor."
    assert _refusal(stub.Classify, request) == ("INVALID_ARGUMENT", message)
    del request.input.example_list.examples[:]
    request.model_spec.signature_name = ""
    assert _refusal(stub.Classify, request) == ("INVALID_ARGUMENT", "Input is empty.")


def test_regress_with_a_common_context(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
) -> None:
    request = regression_pb2.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "regress"
    batch = request.input.example_list_with_context
    batch.context.features.feature["x"].float_list.value.append(4)
    batch.examples.add()
    batch.examples.add().features.feature["x"].float_list.value.append(5)
    response = stub.Regress(request)
    assert [one.value for one in response.result.regressions] == [8, 10]


def _tasks(*named: tuple[str, str]) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest()
    for signature, method in named:
        task = request.tasks.add(method_name=METHODS.get(method, method))
        task.model_spec.name, task.model_spec.signature_name = "m", signature
    _fill(request, 0.5)
    return request


def test_multi_inference(stub: prediction_service_pb2_grpc.PredictionServiceStub) -> None:
    request = _tasks(("", "CLASSIFY"))
    response = stub.MultiInference(request)
    (result,) = response.results
    assert [c.score for c in result.classification_result.classifications[0].classes] == [0.5, 0.5]
    assert result.model_spec.version.value == 1
    response = stub.MultiInference(_tasks(("regress", "REGRESS")))
    assert response.results[0].regression_result.regressions[0].value == 1
    for request, code, message in (
        (_tasks(), "INVALID_ARGUMENT", "at least one task"),
        (_tasks(("", "CLASSIFY"), ("", "REGRESS")), "INVALID_ARGUMENT", "Duplicate evaluation"),
        (_tasks(("", "predict")), "UNIMPLEMENTED", "Unsupported signature method_name: predict"),
    ):
        refusal = _refusal(stub.MultiInference, request)
        assert (refusal[0], message in refusal[1]) == (code, True), refusal


def test_signatures_that_are_not_computed_together_answer_the_same(
    stub: prediction_service_pb2_grpc.PredictionServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = _tasks(("", "CLASSIFY"), ("regress", "REGRESS"))
    together = stub.MultiInference(request)
    assert len(together.results) == 2
    monkeypatch.setattr(LoadedModel, "takes_choice", lambda *_: False)
    assert stub.MultiInference(request) == together


def test_the_broken_example_is_named(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
) -> None:
    request = _fill(classification_pb2.ClassificationRequest(), 0.5, 0.5, 0.5)
    request.model_spec.name = "m"
    request.input.example_list.examples[1].Clear()
    code, message = _refusal(stub.Classify, request)
    assert (code, message.partition(":")[0]) == ("INVALID_ARGUMENT", "Instance 1 of the request")


def test_defaults_of_a_signature_fill_in_and_content_is_packed(
    stub: prediction_service_pb2_grpc.PredictionServiceStub,
) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "scale"
    request.inputs["x"].CopyFrom(to_proto(np.array([[1, 2]], np.float32)))
    outputs = stub.Predict(request).outputs
    assert outputs["y"].tensor_content == np.array([[3, 6]], np.float32).tobytes()
    assert from_proto(outputs["rank"], "rank").item() == 2
    request.inputs["factor"].CopyFrom(to_proto(np.array(10, np.float32)))
    np.testing.assert_array_equal(from_proto(stub.Predict(request).outputs["y"], "y"), [[10, 20]])


def test_health(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "PredictionService", "ModelService", "tensorflow.serving.ModelService"):
        status = stub.Check(health_pb2.HealthCheckRequest(service=service)).status
        assert status == health_pb2.HealthCheckResponse.SERVING
    assert _refusal(stub.Check, health_pb2.HealthCheckRequest(service="x"))[0] == "NOT_FOUND"
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_the_unix_socket_answers_too(server: ModelServer) -> None:
    path = server._settings.grpc.socket_path
    request = _fill(classification_pb2.ClassificationRequest(), 0.5)
    request.model_spec.name = "m"
    with grpc.insecure_channel(f"unix:{path}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert len(stub.Classify(request).result.classifications) == 1


def test_reload_takes_models_in_and_out(base_path: Path) -> None:
    settings = ServerSettings("m", base_path, port=0, rest_api_port=None, poll_seconds=0.05)
    with (
        ModelServer(settings) as running,
        grpc.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel,
    ):
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        request = model_management_pb2.ReloadConfigRequest()
        assert _refusal(stub.HandleReloadConfigRequest, request)[0] == "INVALID_ARGUMENT"
        request.config.model_config_list.config.add(
            name="other", base_path=str(base_path), model_platform="tensorflow"
        )
        assert stub.HandleReloadConfigRequest(request).status.error_code == 0
        ask = prediction_service_pb2_grpc.PredictionServiceStub(channel).Classify
        classify = _fill(classification_pb2.ClassificationRequest(), 0.5)
        classify.model_spec.name = "other"
        assert ask(classify).model_spec.name == "other"
        classify.model_spec.name = "m"
        assert _refusal(ask, classify)[0] == "NOT_FOUND"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-out", folder / "other.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def _ssl_config(folder: Path, *fields: str) -> Path:
    texts = {"server_key": "key.pem", "server_cert": "cert.pem", "custom_ca": "cert.pem"}
    lines = [f"{name}: {(folder / file).read_text()!r}" for name, file in texts.items()
             if name in fields]  # fmt: skip
    other = folder / "other.pem"
    lines += [f"server_key: {other.read_text()!r}"] if "other_key" in fields else []
    lines += [f"server_key: {str(folder / 'key.pem')!r}"] if "path" in fields else []
    lines += ["custom_ca: 'none'"] if "bad_ca" in fields else []
    lines += ["client_verify: true"] if "client_verify" in fields else []
    path = folder / f"{'-'.join(fields)}.config"
    path.write_text("\n".join(lines))
    return path


def test_tls_and_certificates_of_clients(base_path: Path, tls: Path) -> None:
    config = _ssl_config(tls, "server_key", "server_cert", "custom_ca", "client_verify")
    commented = "custom_ca: '# Zertifizierungsstelle für alle\\n"
    config.write_text(config.read_text().replace("custom_ca: '", commented))
    settings = ServerSettings(
        "m", base_path, port=0, rest_api_port=None, grpc=GrpcSettings(ssl_config_file=config)
    )
    authority, key = (tls / "cert.pem").read_bytes(), (tls / "key.pem").read_bytes()
    request = _fill(classification_pb2.ClassificationRequest(), 0.5)
    request.model_spec.name = "m"
    with ModelServer(settings) as running:
        address = f"localhost:{running.grpc_port}"
        known = grpc.ssl_channel_credentials(authority, key, authority)
        for credentials, answers in ((known, True), (grpc.ssl_channel_credentials(authority), 0)):
            with grpc.secure_channel(address, credentials) as channel:
                call = prediction_service_pb2_grpc.PredictionServiceStub(channel).Classify
                if answers:
                    assert call(request).result.classifications
                else:
                    assert _refusal(call, request)[0] == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("server_key",), "has no server_cert"),
        (("server_key", "server_cert", "client_verify"), "client_verify without a custom_ca"),
        (
            ("other_key", "server_cert"),
            r"cannot be used \(key values mismatch\), expected the text",
        ),
        (("path", "server_cert"), r"cannot be used \(.*\(not its path\), with .n for its line"),
        (("server_key", "server_cert", "bad_ca"), "The custom_ca of .* cannot be used"),
    ],
)
def test_a_wrong_tls_configuration_is_an_error_in_words(
    base_path: Path, tls: Path, fields: tuple[str, ...], message: str
) -> None:
    config = _ssl_config(tls, *fields)
    settings = ServerSettings(
        "m", base_path, port=0, rest_api_port=None, grpc=GrpcSettings(ssl_config_file=config)
    )
    with pytest.raises(UsageError, match=message):
        ModelServer(settings).start()


class _Held:
    """A graph that runs until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def run(self, *_: object) -> list[Any]:
        assert self.go.wait(60)
        return []


def _connect_for_ever(address: tuple[str, int]) -> NoReturn:
    while True:
        # A connection that waits to be accepted at the end is reset.
        with suppress(ConnectionResetError):
            socket.create_connection(address, timeout=60).close()


def test_the_end_answers_what_was_accepted_and_refuses_what_is_new(base_path: Path) -> None:
    server = ModelServer(ServerSettings("m", base_path, port=0, rest_api_port=None))
    server.start()
    held = _Held()
    call = SignatureCall(held, {}, (), ())  # type: ignore[arg-type]
    holders = [server._runner.submit_call(call) for _ in range(64)]
    request = _fill(classification_pb2.ClassificationRequest(), 0.5)
    request.model_spec.name = "m"
    assert server.grpc_port is not None
    address = ("127.0.0.1", server.grpc_port)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        classify = prediction_service_pb2_grpc.PredictionServiceStub(channel).Classify
        accepted = [classify.future(request, timeout=60) for _ in range(4)]
        while server._runner.requests < len(holders) + len(accepted):
            time.sleep(0.01)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(ConnectionRefusedError):
            _connect_for_ever(address)
        assert not any(one.done() for one in accepted)
        held.go.set()
        assert all(one.result().result.classifications for one in accepted)
        stopping.join()
