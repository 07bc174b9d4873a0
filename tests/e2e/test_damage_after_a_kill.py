"""Damages what a killed run left to go on from; the same command then ends as if nothing was."""

import os
import shutil
import signal
from itertools import cycle
from pathlib import Path

import pytest
from damage import DAMAGES
from graft_command import Answer, await_that
from ready_command import graft, start

pytestmark = pytest.mark.slow

MOMENTS = {
    "10m": ("cache/tuning/*/trials/[!.]*.json", "cache/tuning/*/work/*/state.npz"),
    "0s": ("cache/training/*/state.npz", "cache/activations/*/*/*/[!.]*.npy"),
}
"""When the run is killed, by the search's budget: as soon as such files are there."""


class KilledRun:
    """A workspace whose run was killed; it can be put back as it was then."""

    def __init__(self, folder: Path, data: Path, budget: str) -> None:
        self.root = folder / "workspace"
        self._kept = folder / "kept"
        self._command = (
            "run", "--json", "--data", data, "--workspace", self.root, "--image-size", "32",
            "--trials", "3", "--strategy", "fine_tune", "--epochs", "5",
            "--set", f"tuning.budget={budget}", "--set", "evaluation.min_accuracy=0.1",
            "--set", "evaluation.max_drop_below_probe=1.0",
        )  # fmt: skip

    def go_on(self) -> Answer:
        return graft(*self._command)

    def kill_when_there_is(self, kinds: tuple[str, ...]) -> list[Path]:
        """Returns the files of these kinds that are there after the kill."""
        run = start(*self._command)

        def is_there() -> bool:
            assert run.poll() is None, "the run ended before it could be killed"
            return all(any(self.root.glob(kind)) for kind in kinds)

        await_that(is_there, f"there is {kinds}")
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return [path for kind in kinds for path in sorted(self.root.glob(kind))]

    def keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.root, self._kept)

    def put_back(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self._kept, self.root)


def _outcome(answer: Answer) -> dict[str, object]:
    assert answer.code == 0, answer.out + answer.err
    told = answer.summary
    assert told["status"] == "pushed"
    return {key: told[key] for key in ("metrics", "model")}


@pytest.mark.parametrize("budget", MOMENTS)
def test_no_damaged_file_of_a_killed_run_is_gone_on_from(
    budget: str, digits_folder: Path, tmp_path: Path
) -> None:
    """One file of three is flipped, one is cut, and one stays whole beside them."""
    killed = KilledRun(tmp_path, digits_folder, budget)
    files = killed.kill_when_there_is(MOMENTS[budget])
    killed.keep()
    for file, damage in zip(files, cycle((*DAMAGES.values(), None)), strict=False):
        if damage:
            damage(file)
    after_damage = _outcome(killed.go_on())
    # A search goes by the clock, and may choose something else.
    if budget == "0s":
        killed.put_back()
        assert after_damage == _outcome(killed.go_on())
