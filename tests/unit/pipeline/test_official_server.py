"""Which server `graft serve` takes, with a Docker of two lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.deployment.image import image, obstacle

_SERVE = """
import pathlib
from pipeline.official_server import serve
from pipeline.served_model import Served
serve(Served("m", pathlib.Path("/srv/m"), 1), "127.0.0.1", 8500, 8501, embedded=False)
"""


def _docker(folder: Path, script: str) -> None:
    (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker").chmod(0o755)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "no Docker engine answers"),
        ('case "$1" in version) ;; *) exit 1;; esac', "cannot be pulled within 5 s"),
        ('case "$1" in image) exit 1;; esac', None),
        ("exit 0", None),
    ],
)
def test_what_hinders(
    script: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = obstacle(pull_seconds=5)
    assert found is None if words is None else words in (found or "")


def test_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert obstacle(pull_seconds=1) == "Docker is not installed"


def test_docker_serves_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _docker(tmp_path, 'if [ "$1" = run ]; then printf "%s\\n" "$@"; fi')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    done = subprocess.run(
        [sys.executable, "-c", _SERVE], capture_output=True, text=True, check=True
    )
    words = done.stdout.splitlines()
    assert words[0] == "run"
    assert words[-1] == image()
    assert "--publish=127.0.0.1:8500:8500" in words
    assert "--mount=type=bind,source=/srv/m,target=/models/m,readonly" in words
    assert f"Serving with {image()} in Docker" in done.stderr
