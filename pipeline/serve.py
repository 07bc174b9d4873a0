"""`graft serve`: the pushed model behind REST and gRPC."""

import json
import logging
import os

from pipeline.served import Served
from pipeline.terminal.quiet import import_tensorflow


def serve(model: Served, host: str, port: int, rest_port: int) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        model: what to serve.
        host: address to bind to.
        port: gRPC.
        rest_port: REST.

    Raises:
        GraftError: a port is taken, or the model does not load.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import_tensorflow()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from serving.server import ServerSettings, run

    base = f"http://{host}:{rest_port}/v1/models/{model.name}"
    body = json.dumps({"instances": [{"image_bytes": {"b64": "BASE64 OF A JPEG"}}]})
    print(f"Serving {model.name} from {model.directory}. Try:\n  curl {base}\n"
          f"  curl -d '{body}' {base}:predict", flush=True)  # fmt: skip
    run(
        ServerSettings(
            model_name=model.name,
            model_base_path=model.directory,
            host=host,
            port=port,
            rest_api_port=rest_port,
        )
    )
    return 0
