"""The file of `--model_config_file`, applied at the start and when it changes."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from serving.errors import ServingError
from serving.servables.model_config import ModelConfig, read_config
from serving.servables.registry import Registry

_log = logging.getLogger(__name__)


class ConfigFile:
    """A `ModelServerConfig` that a registry follows."""

    def __init__(self, file: Path, registry: Registry) -> None:
        """Prepares to apply `file` to `registry`."""
        self._file = file
        self._registry = registry
        self._applied: tuple[ModelConfig, ...] | None = None
        self._said = ""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def apply(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Reads the file and realises it, if it asks for something new.

        Raises:
            ServingError: it cannot be read or realised.
        """
        configs = read_config(self._file)
        if configs != self._applied:
            self._registry.reload(configs, lambda: given_up() or self._is_other_than(configs))
            self._applied = configs

    def _is_other_than(self, configs: tuple[ModelConfig, ...]) -> bool:
        """Whether the file has changed since: nobody waits for the models of an old one."""
        try:
            return read_config(self._file) != configs
        except ServingError:
            return False

    def watch(self, seconds: float) -> None:
        """Applies the file every `seconds`, in a thread of its own; what is wrong is logged."""
        self._thread = threading.Thread(
            target=self._watch, args=[seconds], name="config-file", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Watches no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, seconds: float) -> None:
        while not self._stopping.wait(seconds):
            self._follow()

    def _follow(self) -> None:
        try:
            self.apply(self._stopping.is_set)
            self._said = ""
        except ServingError as error:
            if error.message != self._said:
                _log.error("%s is not followed: %s", self._file, error)
            self._said = error.message
