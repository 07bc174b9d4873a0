"""`tensorflow.serving.ModelService` on a registry."""

import asyncio
import threading
from typing import Final

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from serving.errors import invalid_argument
from serving.grpc_api.calls import method, parser
from serving.grpc_api.intake import Intake
from serving.servables.model_config import configs_of
from serving.servables.model_messages import Message, status_response, target_of
from serving.servables.registry import Registry

SERVICE: Final = "tensorflow.serving.ModelService"


class ModelService:
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def handler(self, intake: Intake) -> grpc.GenericRpcHandler:
        """The service, for a server that takes requests in through `intake`."""
        status = parser(get_model_status_pb2.GetModelStatusRequest)
        reload = parser(model_management_pb2.ReloadConfigRequest)
        handlers = {
            "GetModelStatus": method(intake, status, self._status),
            "HandleReloadConfigRequest": method(intake, reload, self._handle_reload),
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    async def _status(self, request: Message, _: grpc.aio.ServicerContext) -> Message:
        return status_response(self._registry.statuses(target_of(request)))

    async def _handle_reload(self, request: Message, _: grpc.aio.ServicerContext) -> Message:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerConfig type not supported by HandleReloadConfigRequest. Only"
                " ModelConfigList is currently supported"
            )
        configs = configs_of(request.config)
        given_up = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._registry.reload, configs, given_up.is_set)
        finally:
            given_up.set()
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response
