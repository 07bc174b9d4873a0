"""Graft for notebooks and programs: the few names that a user needs, under one package.

`run` and `serve` do what the commands of the same names do; `GraftClient` and `AsyncGraftClient`
ask a served model. `WarmStartOracle` and `PastSearch`
bring the warm start to any search with Keras Tuner:

    >>> import numpy as np
    >>> from graft import PastSearch, WarmStartOracle
    >>> tried = [{"rate": rate} for rate in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)]
    >>> scores = np.array([0.71, 0.80, 0.92, 0.88, 0.64, 0.31])
    >>> past = PastSearch("last week", tuple(tried), scores)
    >>> oracle = WarmStartOracle("val_accuracy", max_trials=10, past=[past], seed=1)

Such an oracle goes into `keras_tuner.Tuner(oracle, build_model)`; `load_history` and
`PastSearch.from_history` read what a run of Graft left, and `import_histories` what other tuners
did.

`import graft` takes no time: what needs TensorFlow imports it when it is used.
"""

from typing import TYPE_CHECKING, Any

from graft.commands import FinishedRun, load_history, run, serve
from graft.rooms import check_rooms

if TYPE_CHECKING:
    from models.errors import GraftError
    from models.history.imports.import_histories import import_histories
    from models.history.past_search import PastSearch
    from models.oracles.warm.warm_start_oracle import WarmStartOracle
    from serving.client import (
        Answer,
        AsyncGraftClient,
        GraftClient,
        PredictionError,
        Predictions,
        RequestRefusedError,
        predict_grpc,
        predict_rest,
    )

    __version__: str

__all__ = [
    "Answer",
    "AsyncGraftClient",
    "FinishedRun",
    "GraftClient",
    "GraftError",
    "PastSearch",
    "PredictionError",
    "Predictions",
    "RequestRefusedError",
    "WarmStartOracle",
    "import_histories",
    "load_history",
    "predict_grpc",
    "predict_rest",
    "run",
    "serve",
]

check_rooms()

if not TYPE_CHECKING:  # which knows the names from above, and should know no others

    def __getattr__(name: str) -> Any:
        """Imports on first use what takes seconds to import."""
        match name:
            case "GraftError":
                from models import errors as home
            case "import_histories":
                from models.history.imports import import_histories as home
            case "PastSearch":
                from models.history import past_search as home
            case (
                "Answer"
                | "AsyncGraftClient"
                | "GraftClient"
                | "PredictionError"
                | "Predictions"
                | "RequestRefusedError"
                | "predict_grpc"
                | "predict_rest"
            ):
                from serving import client as home
            case "WarmStartOracle":
                from models.oracles.warm import warm_start_oracle as home
            case "__version__":
                from importlib.metadata import version

                return version("graft")
            case _:
                raise AttributeError(f"module 'graft' has no attribute {name!r}")
        return getattr(home, name)
