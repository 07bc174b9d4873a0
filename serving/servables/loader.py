"""Loads a SavedModel into the C++ session that TensorFlow Serving runs it in.

`tf.saved_model.load` is no substitute: it accepts models that the C++ loader cannot run and refuses
some that it can; plain `Session.run` adds a check of shapes that the C++ session does not make.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.util import deprecation

from models.errors import UsageError
from models.storage.plain_path import plain_path
from models.storage.seals import DESCRIPTION
from serving.errors import ServingError, from_number
from serving.servables.completeness import SERVING_TAG
from serving.servables.memory import give_back_memory
from serving.servables.parallelism import Parallelism
from serving.tensors.tensor_protos import SignatureDef

DEFAULT_SIGNATURE: Final = "serving_default"
_INIT_SIGNATURE: Final = "__saved_model_init_op"
_MOST_CHOICES: Final = 4


class LoadedModel:
    """A SavedModel in memory, ready to run from any thread.

    Attributes:
        signatures: name to SignatureDef.
        watch: told the seconds and the rows of every run.
    """

    def __init__(self, directory: Path, parallelism: Parallelism | None = None) -> None:
        """Loads `directory`, its variables and its tables.

        Args:
            directory: the SavedModel.
            parallelism: threads to compute with; the usual ones if None.

        Raises:
            ServingError: what TensorFlow's loader says.
        """
        config = tf.compat.v1.ConfigProto()
        config.gpu_options.allow_growth = True
        self._parallelism = parallelism or Parallelism()
        self._parallelism.set_session(config)
        # Between two requests the threads would spin for work, on cores that the server needs.
        config.experimental.disable_thread_spinning = True
        # A second pass over a graph takes a second of the cores that requests need, for no gain.
        config.graph_options.rewrite_options.meta_optimizer_iterations = (
            rewriter_config_pb2.RewriterConfig.ONE
        )
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        self.watch: Callable[[float, int], None] | None = None
        self._callables: dict[tuple[str, ...], Callable[..., list[Any]]] = {}
        self._lock = threading.Lock()
        self._most_choices = 0 if (directory / DESCRIPTION).is_file() else _MOST_CHOICES
        self._choices: set[tuple[str, ...]] = set()
        self._choosing = threading.Lock()
        try:
            place = plain_path(directory.absolute())
            # The function is deprecated for Python's own use, which this is not.
            with self._session.graph.as_default(), deprecation.silence():
                meta_graph = tf.compat.v1.saved_model.load(self._session, [SERVING_TAG], str(place))
        except tf.errors.OpError as error:
            self._session.close()
            raise from_number(error.error_code, error.message) from error
        except (OSError, RuntimeError, ValueError, KeyError, UsageError) as error:
            self._session.close()
            raise ServingError(grpc.StatusCode.INTERNAL, str(error)) from error
        self.signatures: Mapping[str, SignatureDef] = {
            name: signature
            for name, signature in meta_graph.signature_def.items()
            if name != _INIT_SIGNATURE
        }

    def takes_choice(self, fetches: tuple[str, ...]) -> bool:
        """Whether a client's choice of outputs is computed alone.

        TensorFlow optimises the graph for each choice: that takes megabytes, and seconds in which
        the model answers nobody. So the first few are taken; others come out of all outputs. Of a
        model of Graft's none is: all outputs of a signature come from one pass.

        Args:
            fetches: names of tensors, in the order of their aliases.
        """
        with self._choosing:
            if len(self._choices) < self._most_choices:
                self._choices.add(fetches)
            return fetches in self._choices

    def prepare(self, feeds: Iterable[str], fetches: Sequence[str]) -> None:
        """Has TensorFlow optimise the graph for some inputs and outputs, which takes seconds.

        Otherwise the first run does, and whatever waits for its thread waits along.

        Args:
            feeds: names of tensors.
            fetches: names of the tensors to compute.

        Raises:
            ServingError: the graph has no such tensors.
        """
        try:
            self._callable(tuple(sorted(feeds)), tuple(fetches))
        except tf.errors.OpError as error:
            raise from_number(error.error_code, error.message) from error

    def run(self, feeds: Mapping[str, NDArray[Any]], fetches: Sequence[str]) -> list[NDArray[Any]]:
        """Runs the graph once.

        Args:
            feeds: tensor name to value.
            fetches: names of the tensors to compute.

        Returns:
            One array for each fetch; strings are arrays of dtype object that hold bytes.

        Raises:
            ServingError: what the graph says, such as an image that cannot be decoded.
        """
        names = sorted(feeds)
        started = time.perf_counter()
        try:
            run = self._callable(tuple(names), tuple(fetches))
            outputs = run(*(feeds[name] for name in names))
        except tf.errors.OpError as error:
            raise from_number(error.error_code, error.message) from error
        if self.watch is not None:
            rows = max((feed.shape[0] for feed in feeds.values() if feed.shape), default=1)
            self.watch(time.perf_counter() - started, rows)
        return [_as_array(output) for output in outputs]

    def close(self) -> None:
        """Frees the model, and gives its memory back; no request may be running."""
        self._callables.clear()
        self._session.close()
        self.signatures = {}
        del self._session
        give_back_memory()

    def _callable(
        self, feeds: tuple[str, ...], fetches: tuple[str, ...]
    ) -> Callable[..., list[Any]]:
        key = (*feeds, "", *fetches)
        with self._lock:
            if key not in self._callables:
                options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
                self._parallelism.set_run(options.run_options)
                self._callables[key] = self._session._make_callable_from_options(options)
            return self._callables[key]


def _as_array(output: Any) -> NDArray[Any]:
    """Puts a scalar string, which the session returns as bare bytes, into an array."""
    return np.asarray(output, dtype=object) if isinstance(output, bytes) else np.asarray(output)
