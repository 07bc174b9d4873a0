"""Chromium without a window, told what to do through a pipe (Chrome DevTools Protocol)."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed (apt-get install chromium)"
)

_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--no-first-run", "--disable-extensions", "--disable-background-networking",
          "--no-proxy-server", "--remote-debugging-pipe"]  # fmt: skip


class Page:
    """One page of a browser that lives as long as the `with` block."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._number = 0
        self._session: str | None = None

    def __enter__(self) -> "Page":
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # The browser reads at descriptor 3 and writes at 4.
        redirect = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, "bash", "chromium", *_FLAGS,
             f"--user-data-dir={self._profile.name}", "about:blank"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._reader = os.fdopen(self._from, "rb")
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=self._url)
        self.wait("document.readyState === 'complete'")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        self._reader.close()
        self._process.terminate()
        self._process.wait(30)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> Any:
        """One command, and its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def value(self, expression: str) -> Any:
        """What an expression in JavaScript comes to."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        return result.get("value")

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        """Waits until a condition in JavaScript holds."""
        deadline = time.monotonic() + seconds
        while not self.value(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def drop(self, *files: Path) -> None:
        """Drags files, or something else, onto the middle of the page's upper part."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=300, y=150, data=data)

    def _next(self) -> bytes:
        content = bytearray()
        while (byte := self._reader.read(1)) != b"\0":
            assert byte, "the browser ended"
            content += byte
        return bytes(content)
