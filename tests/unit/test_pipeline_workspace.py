import multiprocessing
import os
import signal
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


def test_a_workspace_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(GraftError, match="--workspace"),
        Workspace(tmp_path / "file" / "workspace").hold(wait=False),
    ):
        pass
