"""`graft serve`: the pushed model behind REST and gRPC."""

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from models.listening import host_and_port
from pipeline.served_model import Served
from pipeline.server_place import Place
from pipeline.terminal.quiet import import_tensorflow

if TYPE_CHECKING:  # it brings TensorFlow, which is imported in silence
    from serving.request_log.settings import RequestLogSettings
    from serving.server.model_server import ModelServer
    from serving.server.settings import ServerSettings


def serve(
    model: Served,
    place: Place,
    config_file: Path | None = None,
    log: "RequestLogSettings | None" = None,
) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        model: what to serve.
        place: where to.
        config_file: versions and labels, as a gateway left them; None for the newest version.
        log: what is logged of requests; None for nothing.

    Raises:
        GraftError: a port is taken, or the model does not load.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import_tensorflow()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from serving.inference.batching_parameters import BatchingParameters
    from serving.server.model_server import run
    from serving.server.settings import ServerSettings

    settings = ServerSettings(
        model_name=model.name,
        model_base_path=model.directory,
        host=place.host,
        port=place.port,
        rest_api_port=place.rest_port,
        model_config_file=config_file,
        # Its labels are read before its versions are loaded.
        allow_labels_ahead=config_file is not None,
        # Graft's own models answer for each image by itself, so that requests may be joined.
        batching=BatchingParameters(),
        request_log=log,
    )
    run(settings, ready=_show)
    return 0


def _show(server: "ModelServer", settings: "ServerSettings") -> None:
    """Says how to ask, once somebody answers: a port may be taken, or be any free one."""
    rest = host_and_port(settings.host, server.rest_port)
    grpc = host_and_port(settings.host, server.grpc_port)
    base = f"http://{rest}/v1/models/{settings.model_name}"
    body = json.dumps({"instances": [{"image_bytes": {"b64": "BASE64 OF A JPEG"}}]})
    print(
        f"Serving {settings.model_name} from {settings.model_base_path} over REST, and over gRPC "
        f"at {grpc}. Try:\n"
        f"  curl {base}\n  curl -d '{body}' {base}:predict",
        flush=True,
    )
