"""The process beside a server that makes Parquet files of what it logged.

Apart, so that neither its work nor its end is felt by a request. It ends with the server: it hears
so from its standard input.
"""

import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from serving.request_log.settings import RequestLogSettings

_log = logging.getLogger(__name__)
_PACKAGE: Final = __name__.rpartition(".")[0]
_ROOT: Final = Path(__file__).resolve().parents[_PACKAGE.count(".") + 1]
_PAUSE_SECONDS: Final = 5.0
_END_SECONDS: Final = 20.0


class WriterProcess:
    """Keeps one such process alive."""

    def __init__(self, settings: RequestLogSettings) -> None:
        """Starts nothing yet."""
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._started = float("-inf")

    @property
    def pid(self) -> int | None:
        """Id of the process; None where there is none."""
        return self._process.pid if self._process is not None else None

    def ensure(self) -> None:
        """Starts it if it does not run, but not again and again."""
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() - self._started < _PAUSE_SECONDS:
            return
        self._started = time.monotonic()
        if self._process is not None:
            code = self._process.returncode
            _log.warning("The writer of the request log ended (code %d). It starts again.", code)
            self._let_go()
        try:
            self._process = self._start()
        except OSError as error:
            _log.warning("The writer of the request log does not start: %s.", error.strerror)

    def close(self) -> None:
        """Has it do what is left, and waits for its end for some seconds."""
        process = self._process
        if process is None:
            return
        self._let_go()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            # It goes on by itself; the next server finds what it leaves.
            _log.warning("The writer of the request log is still busy.")

    def _let_go(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

    def _start(self) -> "subprocess.Popen[bytes]":
        asked = self._settings
        values = [str(asked.folder.absolute()), str(asked.keep_days), str(asked.file_bytes)]
        return subprocess.Popen(
            [sys.executable, "-m", _PACKAGE, *values], cwd=_ROOT, stdin=subprocess.PIPE
        )
