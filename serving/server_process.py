"""The embedded server in a process of its own, on free ports of this machine."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from models.errors import GraftError

_PACKAGE: Final = __name__.rpartition(".")[0]
_ROOT: Final = Path(__file__).resolve().parents[_PACKAGE.count(".") + 1]
_LOOK_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 10.0
_LAST_LINES: Final = 5
_START_SECONDS: Final = 600.0
"""Against a server that hangs; on a busy machine the imports alone take minutes."""


@dataclass(frozen=True)
class Addresses:
    """Where a server answers.

    Attributes:
        url: REST, such as `http://127.0.0.1:8501`.
        target: gRPC, such as `127.0.0.1:8500`.
    """

    url: str
    target: str


class ServerProcess:
    """A server process that lives as long as the `with` block.

    Starting it and waiting for it are two steps, so that the caller can work while TensorFlow is
    imported over there:

        with ServerProcess("graft", directory) as server:
            images = read_images()
            predict_rest(server.wait().url, "graft", images)
    """

    def __init__(
        self,
        model_name: str,
        model_base_path: Path,
        log: Path | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        """Prepares a server.

        Args:
            model_name: in the API.
            model_base_path: directory of version directories.
            log: where it writes what it has to say; None for nowhere.
            flags: of `graft-model-server`, in addition.
        """
        self._name = model_name
        self._base_path = model_base_path
        self._log = log
        self._flags = tuple(flags)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ServerProcess":
        self._folder = tempfile.TemporaryDirectory(prefix="graft-server-")
        self._ports_file = Path(self._folder.name) / "ports.json"
        log = self._log or Path(self._folder.name) / "server.log"
        self._output: IO[bytes] = log.open("wb")
        self._log = log
        command = [sys.executable, "-m", _PACKAGE, f"--model_name={self._name}"]
        command += [f"--model_base_path={self._base_path.absolute()}"]
        # Who waits for this process wants to hear at once of a model that does not load.
        command += ["--max_num_load_retries=0"]
        command += [f"--ports_file={self._ports_file}", "--stop_at_eof", *self._flags]
        self._process = subprocess.Popen(
            command,
            # `-m` looks here first: a folder of the user's named `serving` must not be taken.
            cwd=_ROOT,
            # Held open by this process alone: should it be killed, the server stops too.
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """Id of the process."""
        assert self._process is not None
        return self._process.pid

    def wait(self, timeout: float = _START_SECONDS) -> Addresses:
        """Waits until the server answers.

        Raises:
            GraftError: it ended, or is not ready after `timeout` seconds; with its last words.
        """
        assert self._process is not None
        deadline = time.monotonic() + timeout
        while not self._ports_file.exists():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise GraftError(f"The model server ended with code {code}. {self._last_words()}")
            if time.monotonic() > deadline:
                message = f"The model server was not ready after {timeout:g} s."
                raise GraftError(f"{message} {self._last_words()}")
            time.sleep(_LOOK_SECONDS)
        ports = json.loads(self._ports_file.read_text(encoding="utf-8"))
        return Addresses(f"http://127.0.0.1:{ports['rest']}", f"127.0.0.1:{ports['grpc']}")

    def _last_words(self) -> str:
        assert self._log is not None
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "It said: " + " / ".join(lines[-_LAST_LINES:]) if lines else "It said nothing."
