"""Which commit a run was made with, asked of a checkout that is its user's to work in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import library_versions


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the one module in it."""
    module = tmp_path / "pipeline" / "library_versions.py"
    module.parent.mkdir()
    shutil.copy(library_versions.__file__, module)
    (module.parent / "__init__.py").touch()
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "m"]):
        subprocess.run([*git, *command], check=True)
    return tmp_path


def version(checkout: Path) -> str:
    program = "from pipeline import library_versions; print(library_versions.versions()['graft'])"
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_commit_is_told_and_whether_anything_was_changed(checkout: Path) -> None:
    clean = version(checkout)
    assert clean.endswith(")\n")
    assert "-dirty" not in clean
    (checkout / "new.txt").touch()
    assert version(checkout) == clean
    (checkout / "pipeline" / "__init__.py").write_text("X = 1\n")
    assert version(checkout) == clean.replace(")", "-dirty)")


def test_no_lock_is_taken_that_a_kill_could_leave_behind(checkout: Path) -> None:
    index = checkout / ".git" / "index"
    before = index.stat()
    # The index now has an old time for this file, which git would like to bring up to date.
    os.utime(checkout / "pipeline" / "__init__.py", (1, 1))
    assert "-dirty" not in version(checkout)
    assert (index.stat().st_ino, index.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
