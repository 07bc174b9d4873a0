"""Full and read-only disks, two runs at once, Ctrl-C: told in words, and nothing lost."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from graft_command import GRAFT, Answer, await_that, finish, graft_here
from ready_command import graft, start

# Ends at the gate, before the backbone: no class has that many images.
_SHORT = ("--set", "validation.min_images_per_class=1000")
_QUICK = ("--image-size", "32", "--trials", "2", "--strategy", "feature_extraction")

# A disk at $2 that only this process tree sees, and a run on it at each of the sizes $1; then room,
# and a run.
_ON_A_SMALL_DISK = """
sizes=$1 disk=$2; shift 2
mount -t tmpfs -o "size=${sizes%% *}" none "$disk" || exit 99
for size in $sizes 300m; do
  mount -o "remount,size=$size" "$disk"
  "$@"
  [ $? = 1 ] || break
done
"""


def _run_flags(data: Path, workspace: Path, *more: str) -> list[str]:
    return ["run", "--json", "--data", str(data), "--workspace", str(workspace), *more]


def _may_mount() -> bool:
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """Lets no file of this process grow past `size` bytes: the nearest to a full disk for all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writes_no_bytecode = sys.dont_write_bytecode
    # Python before 3.12.8 keeps what could be written of a module's bytecode for the whole of it.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = writes_no_bytecode


def _documents(text: str) -> list[dict[str, object]]:
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        found.append(document)
    return found


def _on_a_small_disk(sizes: str, data: Path, tmp_path: Path, *flags: str) -> list[dict]:
    """Summaries of a run on a disk of each size, and of the same run after room was made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [*GRAFT, *_run_flags(data, disk / "w", *flags)]
    unshared = ["unshare", "--mount", "sh", "-c", _ON_A_SMALL_DISK, "sh", sizes, str(disk)]
    done = subprocess.run([*unshared, *command], check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    return _documents(done.stdout)


@pytest.mark.slow
def test_a_full_disk_and_the_same_command_once_there_is_room(
    digits_folder: Path, tmp_path: Path
) -> None:
    if _may_mount():
        full, after = _on_a_small_disk("100k", digits_folder, tmp_path, *_SHORT)
        assert "The disk is full" in full["reason"]
        assert "Make room" in full["reason"]
    else:
        run = partial(graft_here, tmp_path, *_run_flags(digits_folder, tmp_path / "w", *_SHORT))
        with _files_up_to(100_000):
            full = run().summary
        assert "cannot be" in full["reason"]
        after = run().summary
    assert full["status"] == "failed"
    assert "ValidationGate" in after["stages"]
    assert "min_images_per_class: 1000" in after["reason"]


@pytest.mark.slow
def test_a_disk_with_room_but_for_no_further_file(digits_folder: Path, tmp_path: Path) -> None:
    if not _may_mount():
        pytest.skip("a small disk cannot be mounted here")
    full, *_ = _on_a_small_disk("300m,nr_inodes=12", digits_folder, tmp_path, *_SHORT)
    assert full["status"] == "failed"
    assert "for no further file, as all inodes are in use" in full["reason"]


@pytest.mark.slow
def test_a_disk_that_fills_up_at_any_stage(digits_folder: Path, tmp_path: Path) -> None:
    """Each run goes on from what the one before left when its disk was full."""
    if not _may_mount():
        pytest.fail("This test mounts a small disk; run it as root, or where unshare is allowed.")
    *full, after = _on_a_small_disk("4k 1500k 40m", digits_folder, tmp_path, *_QUICK,
                                    "--set", "evaluation.min_accuracy=0.1")  # fmt: skip
    for each in full:
        assert each["status"] == "failed"
        assert "No space left" in each["reason"] or "disk is full" in each["reason"]
    came_to = [len(each["stages"]) for each in full]
    assert len(came_to) == 3
    assert came_to == sorted(set(came_to)), "each was full at a later stage"
    assert after["status"] == "pushed"


@pytest.mark.parametrize("size", [20_000, 100_000])
def test_a_file_that_may_not_grow(size: int, digits_folder: Path, tmp_path: Path) -> None:
    with _files_up_to(size):
        answer = graft_here(tmp_path, *_run_flags(digits_folder, tmp_path / "w", *_SHORT))
    assert answer.code == 1
    assert answer.summary["status"] == "failed"
    assert "cannot be" in answer.summary["reason"]
    assert "ulimit" in answer.summary["reason"]


def test_a_run_that_the_disk_lets_not_begin_is_none(digits_folder: Path, tmp_path: Path) -> None:
    long = ("--set", f"data.ignore=[{'x' * 8000}]")
    with _files_up_to(6000):  # less than the configuration has
        answer = graft_here(tmp_path, *_run_flags(digits_folder, tmp_path / "w", *long))
    assert answer.code == 1
    assert "cannot be" in answer.summary["reason"]
    assert not list((tmp_path / "w" / "runs").iterdir())


def test_a_workspace_that_cannot_be_written(digits_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    no_folder = f"cannot be a folder, as {file} is none"
    # For /proc the permissions would do, and only the try tells.
    places = {file: (2, no_folder), file / "below": (2, no_folder)}
    places[Path("/proc/none")] = (1 if os.geteuid() == 0 else 2, "cannot be written")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.geteuid() != 0:  # root writes whatever the permissions are
        places[locked] = (2, "cannot be written")
    for place, (code, words) in places.items():
        answer = graft_here(tmp_path, *_run_flags(digits_folder, place))
        assert answer.code == code
        assert words in answer.err
        assert answer.summary["reason"] in answer.err


@pytest.fixture(scope="module")
def pushed(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one pushed version."""
    workspace = tmp_path_factory.mktemp("pushed") / "w"
    answer = _whole_run(digits_folder, workspace)
    assert answer.code == 0, answer.summary["reason"]
    return workspace


def _whole_run(data: Path, workspace: Path, *more: str) -> Answer:
    flags = (*_QUICK, "--set", "evaluation.min_accuracy=0.1", *more)
    return graft(*_run_flags(data, workspace, *flags))


@pytest.mark.slow
def test_a_serving_directory_that_cannot_be_written(
    pushed: Path, digits_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    flag = ("--set", f"serving.directory={file}/models")
    refused = _whole_run(digits_folder, pushed, *flag)
    assert refused.code == 2
    words = f"serving.directory: {file}/models cannot be a folder, as {file} is none"
    assert words in refused.summary["reason"]
    file.unlink()
    mended = _whole_run(digits_folder, pushed, *flag)
    assert mended.code == 0
    assert [name for name, stage in mended.summary["stages"].items() if not stage["cached"]] == [
        "Pusher"
    ]
    assert [path.name for path in (pushed / "serving" / "graft").iterdir()] == ["1"]


@pytest.mark.slow
def test_a_failed_run_leaves_what_is_served(pushed: Path, tmp_path: Path) -> None:
    before = sorted(pushed.glob("serving/**/*"))
    (tmp_path / "empty").mkdir()
    assert _whole_run(tmp_path / "empty", pushed).code == 3
    assert sorted(pushed.glob("serving/**/*")) == before
    listing = graft_here(tmp_path, "runs", "--workspace", pushed)
    assert "has no class folders" in listing.out


def test_two_runs_at_once_and_ctrl_c(digits_folder: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    flags = _run_flags(digits_folder, workspace, *_SHORT)
    first = start(*flags)
    await_that(_at_stage(workspace, "ImageExampleGen"), "the first run is at work")

    second = graft_here(tmp_path, *flags)
    assert second.code == 5
    assert f"Another run is using the workspace {workspace} (process {first.pid})" in second.err
    assert "--wait" in second.summary["reason"]

    def third_waits() -> bool:
        sys.stderr.flush()
        return f"Waiting for another run on {workspace}" in (tmp_path / "stderr.txt").read_text()

    def interrupt_first() -> None:
        await_that(third_waits, "the third run waits")
        os.killpg(first.pid, signal.SIGINT)

    with ThreadPoolExecutor() as beside:
        interrupted = beside.submit(interrupt_first)
        waited = graft_here(tmp_path, *flags, "--wait")
        interrupted.result()
    stopped = finish(first)
    assert stopped.code == 130
    assert stopped.err.splitlines()[-1] == (
        "graft: interrupted. The same command goes on from here."
    )
    assert stopped.summary["status"] == "failed"

    assert waited.code == 3
    assert "ValidationGate" in waited.summary["stages"]
    listing = graft_here(tmp_path, "runs", "--workspace", workspace).out.splitlines()
    assert [line.split()[1] for line in listing[1:]] == ["unfinished", "failed"]


def _at_stage(workspace: Path, stage: str) -> Callable[[], bool]:
    def holds() -> bool:
        logs = workspace.glob("runs/*/log.txt")
        return any(f"stage {stage} started" in log.read_text(errors="replace") for log in logs)

    return holds


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*GRAFT, "config"], check=False, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
