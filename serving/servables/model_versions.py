"""The life of a model's versions: found in a directory, loaded, served, unloaded.

Follows TensorFlow Serving: sub-directories whose names are numbers are versions, the highest one is
served, a new one is loaded before the old one is unloaded, and a version that fails to load leaves
the old one in service. It goes further in two points: a version that is not wholly there is not
loaded (`serving.servables.completeness`), and one that failed is tried again when its files change.
"""

import enum
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from serving.errors import ServingError
from serving.servables.completeness import Snapshot, missing_part
from serving.servables.loader import LoadedModel

_log = logging.getLogger(__name__)
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


@dataclass(frozen=True)
class Lease:
    """A version that stays in memory while a request uses it."""

    name: str
    version: int
    model: LoadedModel


@dataclass
class _Version:
    number: int
    state: State = State.START
    error: ServingError | None = None
    model: LoadedModel | None = None
    snapshot: Snapshot | None = None
    users: int = 0

    def enter(self, state: State, error: ServingError | None = None) -> None:
        self.state = state
        self.error = error


class VersionManager:
    """Keeps the newest whole version of one model in service.

    Attributes:
        name: name of the model in the API.
        base_path: directory of version directories; it may appear later.
    """

    def __init__(self, name: str, base_path: Path, poll_seconds: float = 1.0) -> None:
        """Prepares to watch `base_path`; `poll_seconds` of 0 looks once, at the start."""
        self.name = name
        self.base_path = base_path
        self._poll_seconds = poll_seconds
        self._versions: dict[int, _Version] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"versions-{name}", daemon=True)
        self._said = ""

    def start(self) -> None:
        """Starts to watch, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stops to watch and unloads every version once its requests have finished."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._unload_all_but(None)

    def wait_for(
        self, condition: Callable[[list[VersionStatus]], bool], timeout: float | None = None
    ) -> bool:
        """Waits until `condition` holds for the versions' statuses; returns whether it does."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._statuses()), timeout)

    def statuses(self) -> list[VersionStatus]:
        """Status of every version seen so far, the newest first."""
        with self._changed:
            return self._statuses()

    @contextmanager
    def lease(self, version: int | None = None) -> Iterator[Lease]:
        """Holds `version`, or the newest available one, for the length of a request.

        Raises:
            ServingError: NOT_FOUND if it is not available.
        """
        with self._changed:
            held = self._available(version)
            held.users += 1
        try:
            assert held.model is not None
            yield Lease(self.name, held.number, held.model)
        finally:
            with self._changed:
                held.users -= 1
                unused = self._take_if_unused(held)
            self._free(held, unused)

    def _statuses(self) -> list[VersionStatus]:
        newest_first = sorted(self._versions.values(), key=lambda v: v.number, reverse=True)
        return [VersionStatus(v.number, v.state, v.error) for v in newest_first]

    def _available(self, version: int | None) -> _Version:
        numbers = [
            number
            for number, known in self._versions.items()
            if known.state is State.AVAILABLE and version in (None, number)
        ]
        if not numbers:
            raise not_servable(self.name, version)
        return self._versions[max(numbers)]

    def _watch(self) -> None:
        while True:
            self._look()
            if self._poll_seconds <= 0 or self._stopping.wait(self._poll_seconds):
                return

    def _look(self) -> None:
        try:
            found = version_directories(self.base_path)
        except OSError as error:
            self._say_once(f"Cannot read {self.base_path}: {error.strerror}. Waiting for it.")
            return
        if not found:
            self._say_once(f"{self.base_path} has no version. Waiting for one.")
        aspired = self._newest_whole(found)
        self._forget_unborn(found, aspired)
        if aspired is not None:
            if aspired.state is not State.AVAILABLE:
                self._load(aspired, found[aspired.number])
            if aspired.state is State.AVAILABLE:
                self._unload_all_but(aspired)
        elif not found:
            self._unload_all_but(None)

    def _forget_unborn(self, found: dict[int, Path], aspired: _Version | None) -> None:
        """Drops versions that were removed, or overtaken, before they were ever loaded."""
        with self._changed:
            self._versions = {
                number: version
                for number, version in self._versions.items()
                if version is aspired
                or version.state is not State.START
                or (number in found and (aspired is None or number > aspired.number))
            }

    def _newest_whole(self, found: dict[int, Path]) -> _Version | None:
        """The version to serve: the highest one that is loaded, or could be."""
        for number in sorted(found, reverse=True):
            with self._changed:
                version = self._versions.setdefault(number, _Version(number))
            if version.state is State.AVAILABLE or self._is_whole(version, found[number]):
                return version
        return None

    def _is_whole(self, version: _Version, directory: Path) -> bool:
        before, now = version.snapshot, Snapshot.of(directory)
        version.snapshot = now
        missing = missing_part(directory)
        if missing is None and now != before and not now.settled_for(self._poll_seconds):
            missing = "its files are still changing"
        if missing is not None:
            message = f"Waiting for a whole version {version.number}: {missing}."
            self._say_once(message)
            self._enter(version, State.START, ServingError(grpc.StatusCode.UNAVAILABLE, message))
            return False
        if now != before and version.state is State.END:
            self._enter(version, State.START)
        return True

    def _load(self, version: _Version, directory: Path) -> None:
        if version.state is State.END and version.error is not None:
            return  # It failed, and nothing about it has changed since.
        self._enter(version, State.LOADING)
        started = time.monotonic()
        try:
            model = LoadedModel(directory)
        except ServingError as error:
            _log.error("Version %d of %s does not load: %s", version.number, self.name, error)
            self._enter(version, State.END, error)
            return
        seconds = time.monotonic() - started
        _log.info("Version %d of %s loaded in %.1f s.", version.number, self.name, seconds)
        version.model = model
        self._enter(version, State.AVAILABLE)

    def _say_once(self, message: str) -> None:
        """Logs what is the same at every look only when it is new."""
        if message != self._said:
            _log.warning("%s", message)
        self._said = message

    def _unload_all_but(self, kept: _Version | None) -> None:
        with self._changed:
            leaving = [
                version
                for version in self._versions.values()
                if version is not kept and version.state is State.AVAILABLE
            ]
            for version in leaving:
                version.enter(State.UNLOADING)
            unused = [(version, self._take_if_unused(version)) for version in leaving]
            self._changed.notify_all()
        for version, model in unused:
            self._free(version, model)

    def _take_if_unused(self, version: _Version) -> LoadedModel | None:
        """Takes the model of a version that is leaving once its last request has finished."""
        if version.state is not State.UNLOADING or version.users:
            return None
        model, version.model = version.model, None
        return model

    def _free(self, version: _Version, model: LoadedModel | None) -> None:
        if model is not None:
            model.close()
            self._enter(version, State.END)
            _log.info("Version %d of %s unloaded.", version.number, self.name)

    def _enter(self, version: _Version, state: State, error: ServingError | None = None) -> None:
        with self._changed:
            version.enter(state, error)
            self._changed.notify_all()


def version_directories(base_path: Path) -> dict[int, Path]:
    """Sub-directories of `base_path` whose names are numbers; anything else is ignored.

    Raises:
        OSError: `base_path` cannot be read.
    """
    return {
        int(path.name): path
        for path in base_path.iterdir()
        if re.fullmatch(r"[0-9]+", path.name) and int(path.name) <= _MAX_VERSION and path.is_dir()
    }


def not_servable(name: str, version: int | None) -> ServingError:
    """The error of a request for a model or version that is not available."""
    which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    message = f"Servable not found for request: {which}"
    return ServingError(grpc.StatusCode.NOT_FOUND, message)
