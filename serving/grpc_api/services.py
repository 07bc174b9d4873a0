"""TensorFlow Serving's gRPC services on the models of a registry."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Final

import grpc
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.errors import ServingError
from serving.inference.signature_call import predict
from serving.servables.loader import DEFAULT_SIGNATURE
from serving.servables.model_messages import (
    Message,
    metadata_response,
    model_spec,
    status_response,
    target_of,
)
from serving.servables.registry import Registry
from serving.tensors.tensor_protos import from_proto, to_proto

_LARGEST_MESSAGE: Final = 2**31 - 1
_THREADS: Final = 16


@contextmanager
def _answering(context: grpc.ServicerContext) -> Iterator[None]:
    """Ends the call with the status of the error that the block raises."""
    try:
        yield
    except ServingError as error:
        context.abort(error.code, error.message)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def Predict(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Runs a signature on the tensors of the request."""
        with _answering(context):
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            with self._registry.lease(target_of(request)) as lease:
                signature = lease.model.signatures.get(name)
                if signature is None:
                    message = f'Serving signature key "{name}" not found.'
                    raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
                inputs = {
                    alias: from_proto(value, alias) for alias, value in request.inputs.items()
                }
                outputs = predict(lease.model, signature, inputs, list(request.output_filter))
            return predict_pb2.PredictResponse(
                model_spec=model_spec(lease, name),
                outputs={alias: to_proto(value) for alias, value in outputs.items()},
            )

    def GetModelMetadata(  # noqa: N802
        self, request: Message, context: grpc.ServicerContext
    ) -> Message:
        """Returns the signatures of a version."""
        with _answering(context), self._registry.lease(target_of(request)) as lease:
            return metadata_response(lease, request.metadata_field)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def GetModelStatus(  # noqa: N802
        self, request: Message, context: grpc.ServicerContext
    ) -> Message:
        """Returns the state of one version, or of all."""
        with _answering(context):
            return status_response(self._registry.statuses(target_of(request)))


def grpc_server(registry: Registry, host: str, port: int) -> tuple[grpc.Server, int]:
    """Binds a gRPC server, not yet started; port 0 takes a free one.

    Returns:
        The server and the port that it is bound to.

    Raises:
        RuntimeError: the port is taken.
    """
    server = grpc.server(
        futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE),
            # Without it a second server could share the port and take half of the requests.
            ("grpc.so_reuseport", 0),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(registry), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(registry), server)
    return server, server.add_insecure_port(f"{host}:{port}")
