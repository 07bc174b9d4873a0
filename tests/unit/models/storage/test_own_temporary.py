"""What a command leaves in the system's folder for temporary files: nothing."""

import errno
import os
import subprocess
import sys
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from models.storage.own_temporary import none_compiled_left, own_temporary, shared_temporary
from models.storage.plain_path import plain_path

_HOLD = """
import sys, tempfile
from models.storage.own_temporary import own_temporary
with own_temporary():
    tempfile.mkdtemp()
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_what_is_left_within_goes_with_the_block(shared: Path) -> None:
    with own_temporary():
        own = Path(tempfile.mkdtemp()).parent
        assert own.parent == shared
        assert os.environ["TMPDIR"] == str(own)
    assert not [*shared.iterdir()]
    assert os.environ["TMPDIR"] == str(shared)
    assert tempfile.gettempdir() == str(shared)


def test_what_a_killed_command_left_goes_with_the_next_and_no_more(shared: Path) -> None:
    def hold() -> tuple["subprocess.Popen[str]", Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD], text=True, stdin=-1, stdout=-1, cwd=Path.cwd()
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    killed, left = hold()
    alive, in_use = hold()
    try:
        assert left.parent == in_use.parent == shared
        killed.kill()
        killed.communicate()
        assert [*left.iterdir()]
        (shared / "graft-tmp-link").symlink_to(shared / "elsewhere")
        (shared / "graft-tmp-file").touch()
        (shared / "others").mkdir()
        with own_temporary():
            names = {path.name for path in shared.iterdir()} - {Path(tempfile.gettempdir()).name}
        assert names == {in_use.name, "graft-tmp-link", "graft-tmp-file", "others"}
        assert [*in_use.iterdir()]
    finally:
        alive.communicate()
    assert not in_use.exists()


def test_what_a_killed_process_of_its_own_left_goes_with_a_command(shared: Path) -> None:
    with own_temporary():
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD], text=True, stdin=-1, stdout=-1, cwd=Path.cwd()
        )
        assert process.stdout is not None
        assert Path(process.stdout.readline().strip()).parent == shared
        process.kill()
        process.communicate()
    assert not [*shared.iterdir()]


_CALL = """
import tempfile
from pathlib import Path
import tensorflow as tf
from models.storage.own_temporary import none_compiled_left
with none_compiled_left():
    Path(tempfile.gettempdir(), "of another thread").touch()
    print(tf.function(lambda number: number + 1 if number > 0 else number)(tf.constant(1)))
"""


def test_of_a_program_only_what_was_compiled_goes(shared: Path) -> None:
    script = shared.parent / "script.py"  # whose lines TensorFlow can read
    script.write_text(_CALL)
    subprocess.run([sys.executable, script], check=True, env=os.environ | {"PYTHONPATH": "."})
    assert [each.name for each in shared.iterdir()] == ["of another thread"]


def test_modules_that_know_no_file_are_left_alone(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = shared / "__pycache__" / "others.pyc"
    others.parent.mkdir()
    others.touch()
    for number, spec in enumerate((None, ModuleSpec("x", None))):
        module = ModuleType(f"__autograph_generated_file{number}")
        module.__spec__ = spec
        monkeypatch.setitem(sys.modules, module.__name__, module)
    with none_compiled_left():
        pass
    assert others.exists()


def test_a_command_within_a_command_has_a_folder_of_its_own_beside(shared: Path) -> None:
    with own_temporary():
        assert shared_temporary() == shared
        with own_temporary():
            assert Path(tempfile.gettempdir()).parent == shared


def test_a_link_that_is_to_last_is_not_among_them(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "not absolute")
    with own_temporary():
        link = plain_path(shared / "[1]")
    assert link.is_symlink()


def test_where_there_is_no_place_for_it_the_command_goes_on(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(shared / "nowhere"))
    with own_temporary():
        assert tempfile.gettempdir() == str(shared / "nowhere")


def test_where_nothing_can_be_held_nothing_is_left(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with own_temporary():
        assert tempfile.gettempdir() == str(shared)
    assert not [*shared.iterdir()]
