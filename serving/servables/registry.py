"""The models that a server has, found by what a request asks for."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import grpc

from serving.errors import ServingError, invalid_argument
from serving.servables.model_config import ModelConfig
from serving.servables.version_manager import Load, LoadOptions, VersionManager
from serving.servables.versions import Lease, VersionStatus, not_servable

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.5
_GIVEN_UP: Final = "The wait for the models was given up."


@dataclass(frozen=True)
class Target:
    """What a request asks for: a model, and one version, one label or the newest version."""

    name: str
    version: int | None = None
    label: str | None = None


class Registry:
    """Models by name."""

    def __init__(self, load: Load, options: LoadOptions, allow_labels_ahead: bool = False) -> None:
        """Makes a registry without a model; `reload` brings them.

        Args:
            load: brings a version into memory.
            options: when versions are looked for and tried.
            allow_labels_ahead: whether a new label may name a version that is not available yet.
        """
        self._load = load
        self._options = options
        self._allow_labels_ahead = allow_labels_ahead
        self._managers: dict[str, VersionManager] = {}
        self._retired: dict[str, VersionManager] = {}
        self._labels: dict[str, Mapping[str, int]] = {}
        self._reloading = threading.Lock()
        self._is_draining = False

    def reload(
        self, configs: Sequence[ModelConfig], given_up: Callable[[], bool] = lambda: False
    ) -> None:
        """Serves exactly `configs` from now on: models that are not among them are unloaded.

        Args:
            configs: the models.
            given_up: asked now and then while models load; the wait ends once it says so.

        Raises:
            ServingError: a label names a version that is not available, and nothing has changed; or
                a model did not load, and everything else is as it was asked for.
        """
        with self._reloading:
            labels = {config.name: self._checked_labels(config) for config in configs}
            changed = self._apply(configs)
            self._labels = labels
        for manager, is_new in changed:
            while not manager.wait_until_settled(is_new, _LOOK_SECONDS):
                if given_up():
                    raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, _GIVEN_UP)
        failed = {manager.config.name: manager.failures() for manager, _ in changed}
        _check_none(failed)

    def lease(self, target: Target) -> AbstractContextManager[Lease]:
        """Holds the version that `target` names for the length of a request.

        Raises:
            ServingError: there is no such model, version or label, or no model is named.
        """
        if not target.name:
            raise invalid_argument("ModelSpec has no name specified.")
        version = target.version
        if target.label is not None:
            version = self._labels.get(target.name, {}).get(target.label)
            if version is None:
                raise invalid_argument(f"Unrecognized servable version label: {target.label}")
        manager = self._managers.get(target.name)
        if manager is None:
            raise not_servable(target.name, version)
        return manager.lease(version)

    def statuses(self, target: Target) -> list[VersionStatus]:
        """Statuses of the versions of a model, the newest first; a label is ignored.

        A model that was taken away still has its versions, which have ended.

        Raises:
            ServingError: there is no such model or version.
        """
        manager = self._managers.get(target.name) or self._retired.get(target.name)
        statuses = manager.statuses() if manager else []
        if target.version is not None:
            statuses = [status for status in statuses if status.version == target.version]
        if statuses:
            return statuses
        if target.version is None:
            message = f"Could not find any versions of model {target.name}"
        else:
            message = f"Could not find version {target.version} of model {target.name}"
        raise ServingError(grpc.StatusCode.NOT_FOUND, message)

    def has(self, name: str) -> bool:
        """Whether there is a model `name`, available or not."""
        return name in self._managers

    def is_ready(self) -> bool:
        """Whether every model answers, and the server takes requests."""
        return not self._is_draining and all(
            any(status.is_available for status in manager.statuses())
            for manager in self._managers.values()
        )

    def drain(self) -> None:
        """Says not to be ready from now on; models are served as before."""
        self._is_draining = True

    def wait_for(
        self,
        name: str,
        condition: Callable[[list[VersionStatus]], bool],
        timeout: float | None = None,
    ) -> bool:
        """Waits until `condition` holds for the versions of a model; returns whether it does."""
        return self._managers[name].wait_for(condition, timeout)

    def close(self) -> None:
        """Unloads every model once its requests have finished."""
        with self._reloading:
            managers = [*self._managers.values(), *self._retired.values()]
            self._managers = {}
        for manager in managers:
            manager.retire()
        for manager in managers:
            manager.stop()

    def _apply(self, configs: Sequence[ModelConfig]) -> list[tuple[VersionManager, bool]]:
        """Starts, changes and retires models; returns those to wait for, and whether they are new.

        Requests see the new models all at once.
        """
        managers, changed = {}, []
        for config in configs:
            manager = self._managers.get(config.name)
            if manager is None:
                manager = VersionManager(config, self._load, self._options)
                manager.start()
                changed.append((manager, True))
            elif manager.config != config:
                manager.configure(config)
                changed.append((manager, False))
            managers[config.name] = manager
        for name, manager in self._managers.items():
            if name not in managers:
                _log.info("Model %s is no longer served.", name)
                manager.retire()
                self._retired[name] = manager
        self._managers = managers
        return changed

    def _checked_labels(self, config: ModelConfig) -> Mapping[str, int]:
        manager = self._managers.get(config.name)
        statuses = manager.statuses() if manager else []
        available = {status.version for status in statuses if status.is_available}
        current = self._labels.get(config.name, {})
        for label, version in config.labels.items():
            is_new = current.get(label, version) == version
            if version not in available and not (self._allow_labels_ahead and is_new):
                raise ServingError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {config.name},"
                    " which is not currently available for inference",
                )
        return config.labels


def _check_none(failed: Mapping[str, Iterable[VersionStatus]]) -> None:
    """Raises TensorFlow Serving's error if a model failed."""
    failures = [(name, status) for name, statuses in failed.items() for status in statuses]
    if failures:
        named = ", ".join(
            f"{{{{name: {name} version: {status.version}}} due to error: {status.error}}}"
            for name, status in failures
        )
        count = len({name for name, _ in failures})
        message = f"{count} model(s) did not become available: {{{named}}}"
        raise ServingError(grpc.StatusCode.UNKNOWN, message)
