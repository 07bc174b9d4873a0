"""`graft-model-server`, or `python -m serving`: the server with TensorFlow Serving's flags."""

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from models.errors import GraftError, UsageError
from models.large_imports import large_imports
from models.numerics import compute_with_onednn
from models.standard_streams import hold_standard_streams
from serving.errors import ServingError
from serving.servables.memory import hold_few_arenas
from serving.servables.model_config import read_config
from serving.server.flags import parse_flags, settings_of
from serving.server.leave import leave


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server on the flags of the command line; returns the exit code."""
    hold_standard_streams()
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    if flags.version:
        print(f"Graft ModelServer: {version('graft')}")
        print(f"TensorFlow Library: {version('tensorflow')}")
        return os.EX_OK
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # Before TensorFlow is imported: a client's bad image is answered, not logged by every kernel.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    compute_with_onednn()
    hold_few_arenas()
    try:
        settings = settings_of(flags)
        if settings.model_config_file is not None:
            # A wrong file is told at once, not after the seconds that TensorFlow takes to come.
            read_config(settings.model_config_file)
        with large_imports():
            from serving.server.model_server import run

        run(settings, flags.ports_file, flags.stop_at_eof)
    except ServingError as error:
        print(f"Failed to start server. Error: {error}", file=sys.stderr)
        return UsageError.exit_code
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return os.EX_OK


def run_and_leave(arguments: Sequence[str] | None = None) -> NoReturn:
    """`main` as a process of its own."""
    leave(main(arguments))


if __name__ == "__main__":
    run_and_leave()
