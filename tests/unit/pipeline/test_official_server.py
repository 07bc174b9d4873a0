"""Which server `graft serve` takes, with a Docker of two lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.deployment.image import image, obstacle
from pipeline.official_server import docker_command, left_by_gateway
from pipeline.served_model import Served
from serving.rollout.model_server import config_text, model_config

_SERVE = """
import pathlib, sys
from pipeline.official_server import serve
from pipeline.served_model import Served
from pipeline.server_place import Place
model, place = Served("m", pathlib.Path("/srv/m"), 1), Place("127.0.0.1", 8500, 8501)
serve(model, place, embedded=False, gateway=pathlib.Path(sys.argv[1]))
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


def test_versions_and_labels_outlive_a_server(tmp_path: Path) -> None:
    model = Served("m", Path("/srv/m"), 1)
    assert left_by_gateway(model, "/srv/m", tmp_path) is None
    file = tmp_path / "models.config"
    config = model_config("m", "/srv/m", {3}, {"stable": 3})
    file.write_text(config_text(config), encoding="utf-8")
    assert left_by_gateway(model, "/srv/m", tmp_path) == file
    # Of a server that sees the versions elsewhere.
    assert left_by_gateway(model, "/models/m", tmp_path) is None
    command = docker_command(model, "127.0.0.1", 8500, 8501, file)
    assert command[-1] == "--model_config_file=/models.config"
    assert f"--mount=type=bind,source={file},target=/models.config,readonly" in command


def test_docker_serves_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _docker(tmp_path, 'if [ "$1" = run ]; then printf "%s\\n" "$@"; fi')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    done = subprocess.run(
        [sys.executable, "-c", _SERVE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "--model_config_file=/models.config" not in done.stdout
    words = done.stdout.splitlines()
    assert words[0] == "run"
    assert words[-1] == image()
    assert "--publish=127.0.0.1:8500:8500" in words
    assert "--mount=type=bind,source=/srv/m,target=/models/m,readonly" in words
    assert f"Serving with {image()} in Docker" in done.stderr
