"""The models that a server has, found by what a request asks for."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import grpc

from serving.errors import ServingError, invalid_argument
from serving.servables.model_versions import Lease, VersionManager, VersionStatus, not_servable


@dataclass(frozen=True)
class Target:
    """What a request asks for: a model, and one version, one label or the newest version."""

    name: str
    version: int | None = None
    label: str | None = None


class Registry:
    """Models by name."""

    def __init__(self, managers: Iterable[VersionManager]) -> None:
        self._managers = {manager.name: manager for manager in managers}

    def lease(self, target: Target) -> AbstractContextManager[Lease]:
        """Holds the version that `target` names for the length of a request.

        Raises:
            ServingError: there is no such model, version or label.
        """
        if target.label is not None:
            raise invalid_argument(f"Unrecognized servable version label: {target.label}")
        manager = self._managers.get(target.name)
        if manager is None:
            raise not_servable(target.name, target.version)
        return manager.lease(target.version)

    def statuses(self, target: Target) -> list[VersionStatus]:
        """Statuses of the versions of a model, the newest first; a label is ignored.

        Raises:
            ServingError: there is no such model or version.
        """
        manager = self._managers.get(target.name)
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
