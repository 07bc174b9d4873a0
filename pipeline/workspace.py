"""The folder that holds all that runs make, held by one run at a time."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from models.errors import GraftError, WorkspaceBusyError
from pipeline.config import Config

_LONGEST_NAME = 255
_NAME_OF_RUN: Final = "%Y%m%d-%H%M%S-%f"


def nearest_there(folder: Path) -> Path:
    """The folder itself if there is something by its name, else the nearest above it."""
    return next(each for each in (folder, *folder.parents) if os.path.lexists(each))


def no_folder(folder: Path) -> str:
    """Why there is no such folder, and can be none, in words; empty where there can.

    Args:
        folder: absolute.
    """
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in folder.parts):
        return f"a folder's name in {folder} is longer than {_LONGEST_NAME} bytes"
    there = nearest_there(folder)
    return "" if there.is_dir() else f"{folder} cannot be a folder, as {there} is none"


@dataclass(frozen=True)
class Workspace:
    """Paths inside one workspace.

    Attributes:
        root: the folder, absolute.
        metadata_uri: `metadata.uri` of the configuration.
    """

    root: Path
    metadata_uri: str = ""

    @classmethod
    def of(cls, config: Config) -> "Workspace":
        """The workspace that a configuration names."""
        return cls(config.workspace_path, config.metadata.uri)

    @property
    def metadata(self) -> Path:
        """SQLite file of ML Metadata, where it lies in no database (`pipeline.metadata_place`)."""
        return self.root / "metadata.sqlite"

    @property
    def artifacts(self) -> Path:
        """Where components write, a folder per node."""
        return self.root / "artifacts"

    @property
    def cache(self) -> Path:
        """What only saves time: file digests, embeddings, checkpoints. Safe to delete."""
        return self.root / "cache"

    @property
    def images_beside(self) -> Path:
        """File that tells the search what else is learned from (`models.search.images_beside`)."""
        return self.cache / "images_beside.json"

    @property
    def knowledge(self) -> Path:
        """Histories of other searches that were imported; `forgotten.json` names pruned ones."""
        return self.root / "knowledge"

    @property
    def gateway(self) -> Path:
        """State of the rollouts, logs, nginx's files, and versions and labels for a server."""
        return self.root / "gateway"

    @property
    def monitoring(self) -> Path:
        """Evidence, health and page of the served model, labels that came later, retrainings."""
        return self.root / "monitoring"

    @property
    def health_page(self) -> Path:
        """The page of `graft monitor`."""
        return self.monitoring / "health.html"

    @property
    def labelled_requests(self) -> Path:
        """Images of requests that were labelled later, which a retraining learns from."""
        return self.monitoring / "labelled"

    @property
    def runs(self) -> Path:
        """A folder per run: configuration, log, summary and report."""
        return self.root / "runs"

    @property
    def requests(self) -> Path:
        """What the server logged of requests."""
        return self.root / "requests"

    def artifact(self, uri: str, artifacts: Path | None = None) -> Path:
        """Where an artifact lies now; the workspace may have been moved since it was recorded.

        Args:
            uri: as it was recorded; ends with node, output key and execution id.
            artifacts: the way to the folder of that name; None for the straight one.
        """
        here = (artifacts or self.artifacts).joinpath(*Path(uri).parts[-3:])
        return here if here.exists() else Path(uri)

    def run_folders(self) -> list[Path]:
        """Folders of all runs, oldest first."""
        if not self.runs.is_dir():
            return []
        return sorted(path for path in self.runs.iterdir() if path.is_dir())

    def new_run_name(self, started: datetime) -> str:
        """Name for the folder of a run that begins now, while the workspace is held.

        It is the local time, but always behind that of the run before: whoever looks for the newest
        run goes by names, and a clock or a zone may be set back.

        Args:
            started: when, with a time zone.
        """
        known = [_time_of(folder.name) for folder in self.run_folders()]
        newest = max((time for time in known if time is not None), default=datetime.min)
        local = started.astimezone().replace(tzinfo=None)
        return _name_of(max(local, newest + timedelta(milliseconds=1)))

    @contextmanager
    def hold(self, *, wait: bool) -> Iterator[None]:
        """Holds the workspace for one run; the kernel lets go of it even after a kill.

        Args:
            wait: wait for the run that holds it, instead of refusing.

        Raises:
            WorkspaceBusyError: another run holds it and `wait` is off.
            GraftError: the folder cannot be made or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise GraftError(
                f"The workspace {self.root} cannot be written: {error.strerror}. Choose another "
                "with --workspace, or mend its permissions."
            ) from None
        try:
            self._take(lock, wait)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"process {os.getpid()}".encode(), 0)
            yield
        finally:
            os.close(lock)

    def _take(self, lock: int, wait: bool) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 100, 0).decode(errors="replace") or "just started"
            if not wait:
                raise WorkspaceBusyError(
                    f"Another run is using the workspace {self.root} ({holder}). Wait for it "
                    "(`graft run --wait` does so), or name another workspace with --workspace."
                ) from None
            print(f"Waiting for another run on {self.root} ({holder}).", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)


def _name_of(time: datetime) -> str:
    return time.strftime(_NAME_OF_RUN)[:-3]


def _time_of(name: str) -> datetime | None:
    """None for the name of a folder that no run made."""
    try:
        time = datetime.strptime(name, _NAME_OF_RUN)
    except ValueError:
        return None
    return time if _name_of(time) == name else None
