"""The life of a model's versions: found in a directory, loaded, served, unloaded.

Follows TensorFlow Serving: sub-directories whose names are numbers are versions, a policy says
which of them to serve, a new one is loaded before the old one is unloaded, and a version that fails
to load leaves the old one in service. It goes further in two points: a version that is not wholly
there is not loaded (`serving.servables.completeness`), and one that failed is tried again when its
files change.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from serving.errors import ServingError, in_one_line
from serving.servables.completeness import GRAPH_FILE, Snapshot, missing_part
from serving.servables.loader import LoadedModel
from serving.servables.model_config import ModelConfig
from serving.servables.versions import (
    Lease,
    State,
    Version,
    VersionStatus,
    not_servable,
    version_directories,
)

_log = logging.getLogger(__name__)
_MOST_ENDED: Final = 100
_MOST_TOLD: Final = 5
_STOP_SECONDS: Final = 5.0
_SETTLED_SECONDS: Final = 2.0
"""Without a change, until files are taken for whole; or until the next look, if that is sooner."""

Load = Callable[[str, int, Path], LoadedModel]
"""Brings version (model's name, number, directory) into memory; raises a ServingError if not."""


@dataclass(frozen=True)
class LoadOptions:
    """When versions are looked for, and how often they are tried.

    Attributes:
        poll_seconds: time between two looks; 0 looks once, less never.
        retries: how often a version that failed to load is tried again.
        retry_seconds: time before it is.
    """

    poll_seconds: float = 1.0
    retries: int = 0
    retry_seconds: float = 60.0


class VersionManager:
    """Keeps the versions of one model in service that its configuration asks for."""

    def __init__(self, config: ModelConfig, load: Load, options: LoadOptions) -> None:
        """Prepares to watch the directory of `config`."""
        self.config = config
        self._load_model = load
        self._options = options
        self._versions: dict[int, Version] = {}
        self._aspired: set[int] = set()
        self._changed = threading.Condition()
        self._looked_for: ModelConfig | None = None
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(
            target=self._watch, name=f"versions-{config.name}", daemon=True
        )
        self._unloads: list[threading.Thread] = []
        self._said = ""
        self._is_settling = False

    def start(self) -> None:
        """Starts to watch, in a thread of its own."""
        self._thread.start()

    def configure(self, config: ModelConfig) -> None:
        """Serves what `config` asks for from now on."""
        with self._changed:
            self.config = config
        self._woken.set()

    def retire(self) -> None:
        """Has every version unloaded once its requests have finished; does not wait for it."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._woken.set()

    def stop(self) -> None:
        """Unloads every version, and waits for it, but not for a load or a request that hangs."""
        self.retire()
        for thread in (self._thread, *self._unloads):
            if thread.is_alive():
                thread.join(_STOP_SECONDS)

    def wait_for(
        self, condition: Callable[[list[VersionStatus]], bool], timeout: float | None = None
    ) -> bool:
        """Waits until `condition` holds for the versions' statuses; returns whether it does."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._statuses()), timeout)

    def wait_until_settled(self, is_new: bool, timeout: float) -> bool:
        """Waits until what the configuration asks for is loaded, or has failed for good.

        Args:
            is_new: whether there must be a version; a known model may come to have none.
            timeout: seconds to wait.

        Returns:
            Whether it is so, or the model has been retired.
        """

        def settled() -> bool:
            if self._stopping:
                return True
            states = [version.status for version in self._versions.values()]
            is_decided = any(status.is_available or status.has_failed for status in states)
            is_busy = any(status.state is State.LOADING for status in states)
            return self._looked_for is self.config and not is_busy and (is_decided or not is_new)

        with self._changed:
            return self._changed.wait_for(settled, timeout)

    def failures(self) -> list[VersionStatus]:
        """The versions that are asked for and do not load, if none of those asked for did."""
        with self._changed:
            asked = [s for s in self._statuses() if s.version in self._aspired]
        if any(status.is_available for status in asked):
            return []
        return [status for status in asked if status.has_failed]

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
            assert held.model is not None
            lease = Lease(self.config.name, held.number, held.model)
        try:
            yield lease
        finally:
            with self._changed:
                held.users -= 1
                if held.state is State.UNLOADING:
                    self._changed.notify_all()

    def _statuses(self) -> list[VersionStatus]:
        return [self._versions[number].status for number in sorted(self._versions, reverse=True)]

    def _available(self, version: int | None) -> Version:
        if version is None:
            available = (n for n, v in self._versions.items() if v.status.is_available)
            number = max(available, default=-1)
        else:
            number = version
        known = self._versions.get(number)
        if known is None or not known.status.is_available:
            raise not_servable(self.config.name, version)
        return known

    def _watch(self) -> None:
        while not self._stopping:
            self._woken.clear()
            config = self.config
            if self._options.poll_seconds >= 0:
                self._look(config)
            with self._changed:
                self._looked_for = config
                self._changed.notify_all()
            self._woken.wait(self._seconds_to_next_look())
        self._unload_all_but(set())

    def _seconds_to_next_look(self) -> float | None:
        waits = [self._options.poll_seconds] if self._options.poll_seconds > 0 else []
        waits += [_SETTLED_SECONDS] if self._is_settling else []
        with self._changed:
            retries = [v.retry_at for v in self._versions.values() if v.retry_at is not None]
        waits += [max(retry - time.monotonic(), 0.0) for retry in retries]
        return min(waits, default=None)

    def _look(self, config: ModelConfig) -> None:
        self._is_settling = False
        try:
            self._bring_about(config, version_directories(config.base_path))
        except OSError as error:
            self._say_once(f"Cannot read {config.base_path}: {error.strerror}. Waiting for it.")

    def _bring_about(self, config: ModelConfig, directories: dict[int, Path]) -> None:
        numbers = config.policy.candidates(directories)
        found = {number: directories[number] for number in numbers}
        if not found:
            self._say_once(_waits_for_a_version(config, directories))
        aspired = self._whole(found, config.policy.latest)
        with self._changed:
            self._aspired = {version.number for version in aspired}
            self._forget(found)
        for version in aspired:
            if not self._stopping and version.state is not State.AVAILABLE:
                self._load(version, found[version.number])
            if any(v.state is State.AVAILABLE for v in aspired):
                self._unload_all_but(self._aspired)
        if not found:
            self._unload_all_but(set())

    def _forget(self, found: dict[int, Path]) -> None:
        """Drops versions that were never loaded and are gone or overtaken, and very old ones."""
        lowest = min(self._aspired, default=-1)
        for version in list(self._versions.values()):
            is_awaited = version.number in found and version.number > lowest
            if version.number in self._aspired or is_awaited:
                continue
            if version.state is State.LOADING:  # it waited for another try
                version.retry_at = None
                version.enter(State.END, version.error)
            if version.state is State.START:
                del self._versions[version.number]
        ended = [n for n, v in self._versions.items() if v.state is State.END and n not in found]
        for number in sorted(ended, reverse=True)[_MOST_ENDED:]:
            del self._versions[number]

    def _whole(self, found: dict[int, Path], most: int | None) -> list[Version]:
        """The versions to serve, the highest first: those that are loaded, or could be."""
        whole: list[Version] = []
        for number, directory in found.items():
            if len(whole) == most:
                break
            with self._changed:
                version = self._versions.setdefault(number, Version(number))
                if version.state in (State.UNLOADING, State.END) and version.error is None:
                    # It was unloaded, or is about to be, and is wanted again.
                    version = self._versions[number] = Version(number)
            if version.state is State.AVAILABLE:
                self._tell_of_another(version, directory)
                whole.append(version)
            elif self._is_whole(version, directory):
                whole.append(version)
        return whole

    def _tell_of_another(self, version: Version, directory: Path) -> None:
        """Of two versions with one number the first stays, as with TensorFlow Serving."""
        if version.directory != directory:
            self._say_once(
                f"Version {version.number} of {self.config.name} was loaded from"
                f" {version.directory} and stays; the one in {directory} is not served. Give it"
                " another number, or take the model out of the configuration for a while."
            )

    def _is_whole(self, version: Version, directory: Path) -> bool:
        before, now = version.snapshot, Snapshot.of(directory)
        version.snapshot = now
        missing = missing_part(directory)
        settled = min(self._options.poll_seconds, _SETTLED_SECONDS)
        if missing is None and now != before and not now.settled_for(settled):
            missing = "its files are still changing"
            self._is_settling = True
        if missing is not None:
            message = f"Waiting for a whole version {version.number}: {missing}."
            self._say_once(message)
            self._enter(version, State.START, ServingError(grpc.StatusCode.UNAVAILABLE, message))
            return False
        if now != before:
            with self._changed:
                version.try_anew()
        return True

    def _load(self, version: Version, directory: Path) -> None:
        if version.status.has_failed:
            return  # Nothing about it has changed since.
        if version.retry_at is not None and time.monotonic() < version.retry_at:
            return
        self._enter(version, State.LOADING)
        started = time.monotonic()
        name = self.config.name
        try:
            model = self._load_model(name, version.number, directory)
        except Exception as error:  # noqa: BLE001 (whatever a version does, others are watched on)
            words = in_one_line(error)
            _log.error("Version %d of %s does not load: %s", version.number, name, words)
            self._note_failure(version, _as_serving_error(error))
            return
        seconds = time.monotonic() - started
        _log.info("Version %d of %s loaded in %.1f s.", version.number, name, seconds)
        with self._changed:
            version.model, version.directory = model, directory
            version.failures, version.retry_at = 0, None
        self._enter(version, State.AVAILABLE)

    def _note_failure(self, version: Version, error: ServingError) -> None:
        with self._changed:
            version.failures += 1
            if version.failures <= self._options.retries:
                version.retry_at = time.monotonic() + self._options.retry_seconds
                version.enter(State.LOADING, error)
            else:
                version.retry_at = None
                version.enter(State.END, error)
            self._changed.notify_all()

    def _say_once(self, message: str) -> None:
        """Logs what is the same at every look only when it is new."""
        if message != self._said:
            _log.warning("%s", message)
        self._said = message

    def _unload_all_but(self, kept: set[int]) -> None:
        self._unloads = [thread for thread in self._unloads if thread.is_alive()]
        with self._changed:
            for version in self._versions.values():
                if version.number not in kept and version.state is State.AVAILABLE:
                    version.enter(State.UNLOADING)
                    name = f"unload-{self.config.name}-{version.number}"
                    thread = threading.Thread(
                        target=self._unload, args=[version], name=name, daemon=True
                    )
                    self._unloads.append(thread)
                    thread.start()
            self._changed.notify_all()

    def _unload(self, version: Version) -> None:
        """Frees a version once its last request has finished."""
        with self._changed:
            self._changed.wait_for(lambda: version.users == 0)
            model, version.model = version.model, None
        assert model is not None
        model.close()
        self._enter(version, State.END)
        _log.info("Version %d of %s unloaded.", version.number, self.config.name)

    def _enter(self, version: Version, state: State, error: ServingError | None = None) -> None:
        with self._changed:
            version.enter(state, error)
            self._changed.notify_all()


def _as_serving_error(error: Exception) -> ServingError:
    if isinstance(error, ServingError):
        return error
    return ServingError(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


def _waits_for_a_version(config: ModelConfig, directories: Collection[int]) -> str:
    base_path = config.base_path
    message = f"{base_path} has no version to serve. Waiting for one."
    if directories and config.policy.specific is not None:
        message += (
            f" Its versions are {_listed(directories)}; the configuration asks for"
            f" {_listed(config.policy.specific) or 'none'} (model_version_policy)."
        )
    if (base_path / GRAPH_FILE).is_file():
        message += (
            f" It is a SavedModel itself; expected a folder of versions: move it to {base_path}/1."
        )
    return message


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(map(str, sorted(numbers, reverse=True)[:_MOST_TOLD]))
