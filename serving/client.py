"""Asks a served model about images, over REST or gRPC.

Works with TensorFlow Serving and with the embedded server alike. REST needs no TensorFlow.
"""

import base64
import http.client
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import GraftError, UsageError

INPUT: Final = "image_bytes"
OUTPUTS: Final = ("probabilities", "class_ids", "labels")
DEFAULT_TIMEOUT: Final = 30.0
_HINT: Final = "`graft serve` starts a server for the pushed model."


class PredictionError(GraftError):
    """The server could not be reached, or refused the request."""


class RequestRefusedError(PredictionError):
    """The server cannot do with what it was sent, such as an image that it does not decode."""


@dataclass(frozen=True)
class Predictions:
    """What a model says about n images.

    Attributes:
        probabilities: float32 [n, k], in the order of the model's labels.
        class_ids: int64 [n, t], positions of the most likely classes, most likely first.
        labels: for each image the names of these classes.
    """

    probabilities: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]

    @property
    def scores(self) -> NDArray[np.float32]:
        """Probabilities of the named classes, float32 [n, t]."""
        return np.take_along_axis(self.probabilities, self.class_ids, axis=1)


def predict_rest(
    url: str, model_name: str, images: Sequence[bytes], timeout: float = DEFAULT_TIMEOUT
) -> Predictions:
    """Asks over REST.

    Args:
        url: address of the server, such as `http://127.0.0.1:8501` or `127.0.0.1:8501`.
        model_name: name of the model in the API.
        images: encoded images, in a format that the model decodes (JPEG, PNG).
        timeout: seconds to wait for the server at each step.

    Raises:
        RequestRefusedError: the server cannot do with the images.
        PredictionError: no answer in time, or another error for an answer.
        UsageError: `url` is no HTTP address.
    """
    encoded = [{"b64": base64.b64encode(image).decode("ascii")} for image in images]
    path = f"/v1/models/{urllib.parse.quote(model_name, safe='')}:predict"
    answer = _post(url, path, {"inputs": {INPUT: encoded}}, timeout)
    outputs = answer.get("outputs")
    if not isinstance(outputs, dict):
        raise PredictionError(f"The model {model_name!r} at {url} is no model of Graft's.")
    return _predictions(outputs, f"The model {model_name!r} at {url}", len(images))


def predict_grpc(
    target: str, model_name: str, images: Sequence[bytes], timeout: float = DEFAULT_TIMEOUT
) -> Predictions:
    """Asks over gRPC.

    Args:
        target: address of the server, such as `127.0.0.1:8500`.
        model_name: name of the model in the API.
        images: encoded images, in a format that the model decodes (JPEG, PNG).
        timeout: seconds until the answer must be there.

    Raises:
        RequestRefusedError: the server cannot do with the images.
        PredictionError: no answer in time, or another error for an answer.
    """
    # These import TensorFlow, which takes seconds that REST does not need.
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    from serving.tensors.tensor_protos import from_proto, to_proto

    request = predict_pb2.PredictRequest(output_filter=OUTPUTS)
    request.model_spec.name = model_name
    request.inputs[INPUT].CopyFrom(to_proto(np.array(images, dtype=object)))
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(target, options=options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            response = stub.Predict(request, timeout=timeout)
        except grpc.RpcError as error:
            is_refused = error.code() is grpc.StatusCode.INVALID_ARGUMENT
            raise (RequestRefusedError if is_refused else PredictionError)(
                f"The server at {target} (gRPC) refused the request or did not answer:"
                f" {error.details()} ({error.code().name}). {_HINT}"
            ) from error
    outputs = {name: from_proto(proto, name) for name, proto in response.outputs.items()}
    return _predictions(outputs, f"The model {model_name!r} at {target}", len(images))


def _post(url: str, path: str, document: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    address = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        kind, host, port = kinds[address.scheme], address.hostname or "", address.port
    except (KeyError, ValueError) as error:
        message = f"Not the address of a server: {url!r}. Expected http://HOST:PORT."
        raise UsageError(message) from error
    connection = kind(host, port, timeout=timeout)
    try:
        connection.request("POST", address.path.rstrip("/") + path, json.dumps(document))
        response = connection.getresponse()
        status, body = response.status, response.read()
    except TimeoutError as error:
        message = f"The server at {url} did not answer within {timeout:g} s."
        raise PredictionError(message) from error
    except (OSError, http.client.HTTPException) as error:
        raise PredictionError(f"No server answers at {url} ({error}). {_HINT}") from error
    finally:
        connection.close()
    return _checked(url, status, body)


def _checked(url: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status != http.client.OK:
        said = answer.get("error") if isinstance(answer, dict) else None
        is_refused = status == http.client.BAD_REQUEST
        raise (RequestRefusedError if is_refused else PredictionError)(
            f"The server at {url} answers {status}: {said or 'no reason given'}"
        )
    if not isinstance(answer, dict):
        raise PredictionError(f"What answers at {url} is no model server.")
    return answer


def _predictions(outputs: Mapping[str, Any], where: str, images: int) -> Predictions:
    missing = [name for name in OUTPUTS if name not in outputs]
    if missing:
        raise PredictionError(f"{where} does not return {', '.join(missing)}: no model of Graft's.")
    labels = tuple(tuple(map(_text, names)) for names in outputs["labels"])
    if len(labels) != images:
        raise PredictionError(f"{where} answered for {len(labels)} of {images} images.")
    return Predictions(
        np.asarray(outputs["probabilities"], dtype=np.float32),
        np.asarray(outputs["class_ids"], dtype=np.int64),
        labels,
    )


def _text(name: bytes | str) -> str:
    """A name as gRPC or as REST gives it."""
    return name.decode("utf-8") if isinstance(name, bytes) else name
