"""TensorFlow Serving's gRPC API, as its documentation and its own tests have it."""

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from plain_models import NAMES, config_of
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

BOTH = ("half_plus_two", "half_plus_two_v2")
VERSION = 123


def example(**values: float) -> tf.train.Example:
    made = tf.train.Example()
    for name, value in values.items():
        made.features.feature[name].float_list.value.append(value)
    return made


def predict_request(model: str = "half_plus_two", **inputs: Any) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def x(value: float = 2.0) -> np.ndarray:
    return np.array([value], np.float32)


def refusal(call: Callable[..., Any], request: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize(("model", "y"), [("half_plus_two", 3.0), ("half_plus_three", 4.0)])
@pytest.mark.parametrize("filtered", [["y"], []])
def test_predict_answers_in_typed_fields_and_says_who_did(
    prediction: Any, model: str, y: float, filtered: list[str]
) -> None:
    request = predict_request(model, x=x())
    request.output_filter.extend(filtered)
    response = prediction.Predict(request, timeout=30)
    assert list(response.outputs) == ["y"]
    assert response.outputs["y"].dtype == tf.float32.as_datatype_enum
    assert list(response.outputs["y"].float_val) == [y]
    assert not response.outputs["y"].tensor_content
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (
        model, VERSION, "serving_default"
    )  # fmt: skip


def test_predict_takes_values_in_either_form_and_repeats_the_last(prediction: Any) -> None:
    request = predict_request(x=x())
    request.inputs["x"].tensor_content = np.array([2, 4], np.float32).tobytes()
    del request.inputs["x"].float_val[:]
    request.inputs["x"].tensor_shape.dim[0].size = 2
    assert list(prediction.Predict(request, timeout=30).outputs["y"].float_val) == [3.0, 4.0]
    request.inputs["x"].tensor_content = b""
    request.inputs["x"].float_val.extend([2.0, 4.0])
    request.inputs["x"].tensor_shape.dim[0].size = 4
    answers = prediction.Predict(request, timeout=30).outputs["y"].float_val
    assert list(answers) == [3.0, 4.0, 4.0, 4.0]


def test_shapes_are_the_graphs_matter_not_the_signatures(prediction: Any) -> None:
    response = prediction.Predict(predict_request(x=np.array([2, 4, 6], np.float32)), timeout=30)
    assert list(response.outputs["y"].float_val) == [3.0, 4.0, 5.0]


def test_inputs_of_several_types(prediction: Any) -> None:
    request = predict_request(
        "mixed",
        text=["añ", "b"],
        count=np.array([1, 2], np.int32),
        rates=np.array([[1, 2], [3, 4]], np.float32),
    )
    outputs = prediction.Predict(request, timeout=30).outputs
    assert list(outputs["twice"].int_val) == [2, 4]
    assert list(outputs["total"].float_val) == [3.0, 7.0]
    assert outputs["upper_bytes"].string_val[1] == b"B"
    look_up = predict_request("mixed", word=["green", "naïve", "none"])
    look_up.model_spec.signature_name = "look_up"
    assert list(prediction.Predict(look_up, timeout=30).outputs["index"].int64_val) == [1, 2, -1]


def test_a_request_that_does_not_fit_is_refused(prediction: Any) -> None:
    unnamed = predict_pb2.PredictRequest()
    assert refusal(prediction.Predict, unnamed) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    unnamed.model_spec.version.value = 123
    nameless = ("INVALID_ARGUMENT", "ModelSpec has no name specified.")
    assert refusal(prediction.Predict, unnamed) == nameless
    missing = ("NOT_FOUND", "Servable not found for request: Latest(nobody)")
    assert refusal(prediction.Predict, predict_request("nobody", x=x())) == missing
    versioned = predict_request(x=x())
    versioned.model_spec.version.value = 9
    missing = ("NOT_FOUND", "Servable not found for request: Specific(half_plus_two, 9)")
    assert refusal(prediction.Predict, versioned) == missing
    labelled = predict_request(x=x())
    labelled.model_spec.version_label = "stable"
    unknown = ("INVALID_ARGUMENT", "Unrecognized servable version label: stable")
    assert refusal(prediction.Predict, labelled) == unknown
    signed = predict_request(x=x())
    signed.model_spec.signature_name = "s"
    absent = ("FAILED_PRECONDITION", 'Serving signature key "s" not found.')
    assert refusal(prediction.Predict, signed) == absent
    code, message = refusal(prediction.Predict, predict_request(z=x()))
    assert code == "INVALID_ARGUMENT"
    assert "Sent extra: {z}. Missing but required: {x}." in message
    filtered = predict_request(x=x())
    filtered.output_filter.append("z")
    code, message = refusal(prediction.Predict, filtered)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith("output tensor alias not found in signature: z")


def test_values_that_are_not_there_are_refused(prediction: Any) -> None:
    for sizes in ([50_000_000], [1 << 40], [1 << 32, 1 << 32], [-1]):
        request = predict_request(x=x())
        request.inputs["x"].tensor_content = b"abcd"
        del request.inputs["x"].float_val[:]
        del request.inputs["x"].tensor_shape.dim[:]
        for size in sizes:
            request.inputs["x"].tensor_shape.dim.add(size=size)
        assert refusal(prediction.Predict, request)[0] == "INVALID_ARGUMENT"


def test_status(model_service: Any) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half_plus_two"
    [status] = model_service.GetModelStatus(request, timeout=30).model_version_status
    assert (status.version, status.state, status.status.error_code) == (VERSION, 30, 0)
    request.model_spec.version.value = 9
    missing = ("NOT_FOUND", "Could not find version 9 of model half_plus_two")
    assert refusal(model_service.GetModelStatus, request) == missing
    request.model_spec.name = "nobody"
    request.model_spec.ClearField("version")
    missing = ("NOT_FOUND", "Could not find any versions of model nobody")
    assert refusal(model_service.GetModelStatus, request) == missing


def test_metadata(prediction: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "half_plus_two"
    response = prediction.GetModelMetadata(request, timeout=30)
    assert response.model_spec.version.value == VERSION
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {
        "serving_default", "regress_x_to_y", "regress_x_to_y2", "regress_x2_to_y3",
        "classify_x_to_y",
    }  # fmt: skip
    request.metadata_field.append("other")
    code, message = refusal(prediction.GetModelMetadata, request)
    assert (code, message) == ("INVALID_ARGUMENT", "Metadata field other is not supported")


@pytest.mark.parametrize("model", BOTH)
def test_classify(prediction: Any, model: str) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = model, "classify_x_to_y"
    request.input.example_list.examples.append(example(x=2.0))
    response = prediction.Classify(request, timeout=30)
    [classification] = response.result.classifications
    assert [(one.label, one.score) for one in classification.classes] == [("", 3.0)]
    assert response.model_spec.version.value == VERSION
    assert response.model_spec.signature_name == "classify_x_to_y"


def test_classes_have_names(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = "mixed", "classify"
    request.input.example_list.examples.extend([example(x=0.25), example(x=1.0)])
    classifications = prediction.Classify(request, timeout=30).result.classifications
    found = [[(one.label, one.score) for one in row.classes] for row in classifications]
    assert found == [[("yes", 0.25), ("no", 0.75)], [("yes", 1.0), ("no", 0.0)]]


@pytest.mark.parametrize("model", BOTH)
def test_regress(prediction: Any, model: str) -> None:
    request = regression_pb2.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = model, "regress_x_to_y"
    request.input.example_list_with_context.context.CopyFrom(example(x=4.0))
    request.input.example_list_with_context.examples.extend([example(x=2.0), example()])
    response = prediction.Regress(request, timeout=30)
    assert [one.value for one in response.result.regressions] == [3.0, 4.0]
    assert response.model_spec.version.value == VERSION


def multi_inference(model: str) -> Any:
    request = inference_pb2.MultiInferenceRequest()
    for method in ("regress", "classify"):
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = model, f"{method}_x_to_y"
    request.input.example_list.examples.append(example(x=2.0))
    return request


def test_multi_inference_of_an_input_that_takes_no_examples_is_refused(prediction: Any) -> None:
    request = multi_inference("half_plus_two")
    request.tasks[1].model_spec.signature_name = "regress_x2_to_y3"
    request.tasks[1].method_name = "tensorflow/serving/regress"
    code, message = refusal(prediction.MultiInference, request)
    assert code == "INVALID_ARGUMENT"
    assert message == "Input tensor must be the same for all Signatures."


@pytest.mark.parametrize("model", BOTH)
def test_multi_inference(prediction: Any, model: str) -> None:
    request = multi_inference(model)
    first, second = prediction.MultiInference(request, timeout=30).results
    assert first.regression_result.regressions[0].value == 3.0
    assert second.classification_result.classifications[0].classes[0].score == 3.0
    assert first.model_spec.signature_name == "regress_x_to_y"
    assert second.model_spec.version.value == VERSION
    request.tasks[1].model_spec.CopyFrom(request.tasks[0].model_spec)
    code, message = refusal(prediction.MultiInference, request)
    assert (code, message.startswith("Duplicate evaluation")) == ("INVALID_ARGUMENT", True)


def test_a_reload_takes_models_away_and_brings_them_back(
    server: Any, prediction: Any, model_service: Any
) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(config_of(server.models, *NAMES[:-1]), request.config)
    response = model_service.HandleReloadConfigRequest(request, timeout=60)
    assert response.status.error_code == 0
    gone = ("NOT_FOUND", "Servable not found for request: Latest(mixed)")
    assert refusal(prediction.Predict, predict_request("mixed", word=["a"])) == gone
    request.config.Clear()
    text_format.Parse(config_of(server.models, *NAMES), request.config)
    model_service.HandleReloadConfigRequest(request, timeout=60)
    look_up = predict_request("mixed", word=["green"])
    look_up.model_spec.signature_name = "look_up"
    assert list(prediction.Predict(look_up, timeout=30).outputs["index"].int64_val) == [1]
    request.config.model_config_list.config[0].version_labels["stable"] = 9
    code, message = refusal(model_service.HandleReloadConfigRequest, request)
    assert (code, "not currently available" in message) == ("FAILED_PRECONDITION", True)
    request.config.Clear()
    assert refusal(model_service.HandleReloadConfigRequest, request)[0] == "INVALID_ARGUMENT"


def test_a_label_names_a_version(server: Any, prediction: Any, model_service: Any) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(config_of(server.models, *NAMES), request.config)
    request.config.model_config_list.config[0].version_labels["stable"] = VERSION
    model_service.HandleReloadConfigRequest(request, timeout=60)
    labelled = predict_request(x=x())
    labelled.model_spec.version_label = "stable"
    response = prediction.Predict(labelled, timeout=30)
    assert response.model_spec.version.value == VERSION
    status, answer = server.ask(
        "POST", "/v1/models/half_plus_two/labels/stable:predict", {"instances": [2.0]}
    )
    assert (status, answer) == (200, {"predictions": [3.0]})
    request.config.Clear()
    text_format.Parse(config_of(server.models, *NAMES), request.config)
    model_service.HandleReloadConfigRequest(request, timeout=60)
    assert refusal(prediction.Predict, labelled)[0] == "INVALID_ARGUMENT"
