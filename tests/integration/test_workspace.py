import multiprocessing
import os
import signal
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from models.errors import GraftError, WorkspaceBusyError
from pipeline.workspace import Workspace


def _hold(root: Path, held: Event) -> None:
    with Workspace(root).hold(wait=False):
        held.set()
        signal.pause()


def test_a_second_run_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    first = context.Process(target=_hold, args=(tmp_path, held))
    first.start()
    try:
        assert held.wait(120)
        with (
            pytest.raises(WorkspaceBusyError, match=str(first.pid)),
            Workspace(tmp_path).hold(wait=False),
        ):
            pass
    finally:
        os.kill(first.pid or 0, signal.SIGKILL)
        first.join()
    with Workspace(tmp_path).hold(wait=False):
        pass


def _take_a_turn(root: Path, number: int, dies: bool, begun: Event) -> None:
    begun.set()
    with Workspace(root).hold(wait=True):
        (root / "inside").touch(exist_ok=False)
        with (root / "turns").open("a") as turns:
            turns.write(f"{number}\n")
        (root / "inside").unlink()
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)


def test_all_who_wait_get_their_turn_though_holders_are_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    first = context.Process(target=_hold, args=(tmp_path, held))
    first.start()
    waiting: list[tuple[SpawnProcess, Event]] = []
    try:
        assert held.wait(60)
        for number in range(6):
            begun = context.Event()
            arguments = (tmp_path, number, number % 2 == 0, begun)
            process = context.Process(target=_take_a_turn, args=arguments)
            process.start()
            waiting.append((process, begun))
        assert all(begun.wait(60) for _, begun in waiting)
        assert not (tmp_path / "turns").exists()
        os.kill(first.pid or 0, signal.SIGKILL)
        for process, _ in waiting:
            process.join(60)
        codes = [process.exitcode for process, _ in waiting]
        assert codes == [-signal.SIGKILL, 0] * 3
    finally:
        for process in (first, *(process for process, _ in waiting)):
            process.kill()
            process.join()
    assert sorted((tmp_path / "turns").read_text().split()) == [str(number) for number in range(6)]
    with Workspace(tmp_path).hold(wait=False):
        pass


def test_a_workspace_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(GraftError, match="--workspace"),
        Workspace(tmp_path / "file" / "workspace").hold(wait=False),
    ):
        pass
