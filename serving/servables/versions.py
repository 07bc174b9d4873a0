"""A version of a model: its state, and how requests hold it."""

import enum
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from serving.errors import ServingError
from serving.servables.completeness import Snapshot
from serving.servables.loader import LoadedModel

_MAX_VERSION: Final = 2**63 - 1


class State(enum.IntEnum):
    """State of a version, numbered as in `ModelVersionStatus.State`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """What is known about one version.

    Attributes:
        version: its number.
        state: where it is in its life.
        error: why it is not loaded, if it is not.
    """

    version: int
    state: State
    error: ServingError | None = None

    @property
    def is_available(self) -> bool:
        """Whether it answers requests."""
        return self.state is State.AVAILABLE

    @property
    def has_failed(self) -> bool:
        """Whether it does not load, and is not tried again unless its files change."""
        return self.state is State.END and self.error is not None


@dataclass(frozen=True)
class Lease:
    """A version that stays in memory while a request uses it."""

    name: str
    version: int
    model: LoadedModel


@dataclass
class Version:
    """A version as its manager keeps it; the manager's lock guards it.

    Attributes:
        number: its name in the API, and of its directory.
        state: where it is in its life.
        error: why it is not loaded, if it is not.
        model: what is loaded.
        directory: where it was loaded from.
        snapshot: its files when they were last looked at.
        users: how many requests hold it.
        failures: how often it failed to load in a row.
        retry_at: `time.monotonic()` from which it may be tried again; None if it need not wait.
    """

    number: int
    state: State = State.START
    error: ServingError | None = None
    model: LoadedModel | None = None
    directory: Path | None = None
    snapshot: Snapshot | None = None
    users: int = 0
    failures: int = 0
    retry_at: float | None = None

    @property
    def status(self) -> VersionStatus:
        """What the API tells."""
        return VersionStatus(self.number, self.state, self.error)

    def enter(self, state: State, error: ServingError | None = None) -> None:
        """Takes a state, and the error that goes with it."""
        self.state = state
        self.error = error

    def try_anew(self) -> None:
        """Forgets the failures: the files are others now."""
        self.failures, self.retry_at = 0, None
        if self.state is State.END:
            self.enter(State.START)


def version_directories(base_path: Path) -> dict[int, Path]:
    """Sub-directories of `base_path` whose names are numbers; anything else is ignored.

    Raises:
        OSError: `base_path` cannot be read.
    """
    return {
        int(path.name): path
        for path in base_path.iterdir()
        if re.fullmatch(r"[0-9]{1,32}", path.name, re.ASCII)
        and int(path.name) <= _MAX_VERSION
        and path.is_dir()
    }


def not_servable(name: str, version: int | None) -> ServingError:
    """The error of a request for a model or version that is not available."""
    which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    message = f"Servable not found for request: {which}"
    return ServingError(grpc.StatusCode.NOT_FOUND, message)
