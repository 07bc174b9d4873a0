"""One attempt over gRPC.

The channel has threads of its own, so that any event loop may wait for its calls.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
import numpy as np

from serving.client.address import Address
from serving.client.answers import CLASS_INPUT, EXPLAINED, INPUT, LIKELIEST
from serving.client.errors import (
    HINT,
    PredictionError,
    RequestRefusedError,
    UnansweredError,
    Why,
)
from serving.client.options import API_KEY_HEADER, MOST_ANSWER_BYTES, REQUEST_ID_HEADER, Options
from serving.client.trust import TLS_HINT, trusted_pem

_CHANNEL: Final = (
    ("grpc.max_receive_message_length", MOST_ANSWER_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    # After a restart, gRPC alone would wait up to two minutes before it tries again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_TOO_LARGE: Final = "larger than max"
_UNREACHED: Final = "failed to connect"
_NO_HTTP_2: Final = "Failed parsing HTTP/2"
_OF_REST: Final = "If that is the port of REST, its address begins with http:// or https://."
_BROKEN: Final = ("socket", "connection", "tcp", "goaway", "stream removed", "broken pipe")
"""gRPC has one status for a connection that broke and a server that says that it is busy."""


class GrpcTransport:
    """Asks over gRPC, on one channel."""

    def __init__(self, address: Address, model_name: str, options: Options) -> None:
        """Takes the same arguments as the clients; connects when it is first asked.

        Raises:
            UsageError: a file of certificates cannot be used.
        """
        # Imported here: they bring TensorFlow, which REST can do without.
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        self._where = address.text
        self._hint = TLS_HINT if address.is_encrypted else HINT
        self._request = predict_pb2.PredictRequest()
        spec = self._request.model_spec
        spec.name = model_name
        if options.get("version") is not None:
            spec.version.value = options["version"]
        if options.get("label") is not None:
            spec.version_label = options["label"]
        key = options.get("api_key")
        self._metadata = ((API_KEY_HEADER, key),) if key else ()
        if address.is_encrypted:
            credentials = grpc.ssl_channel_credentials(*trusted_pem(options))
            self._channel = grpc.secure_channel(address.target, credentials, _CHANNEL)
        else:
            self._channel = grpc.insecure_channel(address.target, _CHANNEL)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    async def ask(
        self, images: Sequence[bytes], request_id: str, seconds: float, *, explain: bool
    ) -> Mapping[str, Any]:
        """Asks once.

        Args:
            images: encoded.
            request_id: for the logs of all that the request goes through.
            seconds: until when the answer must be there.
            explain: whether to ask where the model saw the likeliest class.

        Raises:
            UnansweredError: another attempt may be answered.
            RequestRefusedError: the server cannot do with the images.
            PredictionError: there is no answer, and none to hope for.
            TimeoutError: it was not there by then.
        """
        from serving.errors import ServingError
        from serving.tensors.tensor_protos import from_proto, to_proto

        request = type(self._request)()
        request.CopyFrom(self._request)
        request.inputs[INPUT].CopyFrom(to_proto(np.array(images, dtype=object)))
        if explain:
            request.model_spec.signature_name = EXPLAINED
            likeliest = np.full(len(images), LIKELIEST, np.int64)
            request.inputs[CLASS_INPUT].CopyFrom(to_proto(likeliest))
        metadata = (*self._metadata, (REQUEST_ID_HEADER, request_id))
        call = self._stub.Predict.future(request, timeout=seconds, metadata=metadata)
        try:
            response = await _awaited(call)
        except grpc.RpcError as error:
            raise self._failed(error) from error
        try:
            return {name: from_proto(proto, name) for name, proto in response.outputs.items()}
        except ServingError as error:
            raise PredictionError(
                f"The model at {self._where} gives an answer that cannot be read: {error}"
            ) from error

    async def close(self) -> None:
        """Closes the channel; what is under way ends with it."""
        self._channel.close()

    def _failed(self, error: Any) -> Exception:
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return TimeoutError()
        words = f"The server at {self._where} (gRPC) refused the request or did not answer: "
        words += f"{details} ({code.name})."
        if code is grpc.StatusCode.CANCELLED:  # by a server that goes: this side does not get here
            return UnansweredError(Why.BROKEN, PredictionError(words))
        if code is grpc.StatusCode.UNAVAILABLE:
            hint = _OF_REST if _NO_HTTP_2 in details else self._hint
            return UnansweredError(_why(details.lower()), PredictionError(f"{words} {hint}"))
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE not in details:
            return UnansweredError(Why.BUSY, PredictionError(words))
        refused = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
        return (RequestRefusedError if code in refused else PredictionError)(words)


def _why(details: str) -> Why:
    if _UNREACHED in details:
        return Why.UNREACHED
    return Why.BROKEN if any(word in details for word in _BROKEN) else Why.BUSY


async def _awaited(call: Any) -> Any:
    """Waits for a call, and ends it where nobody waits for it any more."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_: Any) -> None:
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop was closed
            loop.call_soon_threadsafe(done.set)

    call.add_done_callback(tell)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    return call.result()
