"""Damages each file that a run left; the same command then ends well or says what is wrong."""

import shutil
import time
from pathlib import Path

import pytest
from damage import DAMAGES, FinishedWorkspace, artifact_of, one_of_each_kind, walk
from graft_command import Answer, graft_here

_SAMPLE = (
    "serving/graft/1/variables/variables.data*", "metadata.sqlite", "cache/digests/*",
    "cache/embeddings/*/*.features.npy", "runs/*/summary.json",
)  # fmt: skip
"""Files of each kind whose damage costs less than a training."""
_SETTLED_SECONDS = 3.0
_ROUNDS = 2
"""Whole runs in which the artifacts are damaged: in each, every so many-th of them."""

_TOGETHER = ("cache", "runs", "serving")
"""Folders in which a file is damaged beside others."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedWorkspace:
    folder = tmp_path_factory.mktemp("damage")
    root = folder / "workspace"
    # Digests of files that were written just now are not kept, and one is to be damaged.
    newest = max(file.stat().st_ctime for file in digits_folder.rglob("*.png"))
    time.sleep(max(0.0, newest + _SETTLED_SECONDS - time.time()))

    def run() -> Answer:
        return graft_here(
            folder, "run", "--json", "--data", digits_folder, "--workspace", root,
            "--image-size", "32", "--trials", "2", "--strategy", "feature_extraction",
            "--set", "evaluation.min_accuracy=0.1",
        )  # fmt: skip

    return FinishedWorkspace(root, run)


def test_a_file_of_each_kind(finished: FinishedWorkspace) -> None:
    files = [next(each for each in finished.files if each.match(kind)) for kind in _SAMPLE]
    outcomes = walk(finished, [[file] for file in files], ["flip"])["flip"]
    assert outcomes["exit 1"] == 1, "the metadata store"
    assert outcomes["made again"] >= 1, "the served version"


def test_a_damaged_model_is_not_pushed(finished: FinishedWorkspace) -> None:
    """Twelve bytes of the trained variables flipped, and the served version gone."""
    (model,) = finished.root.glob("artifacts/Trainer/model/*/Format-Serving")
    variables = model / "variables" / "variables.data-00000-of-00001"
    content = bytearray(variables.read_bytes())
    for number in range(1, 13):
        content[number * len(content) // 13] ^= 0xFF
    variables.write_bytes(content)
    shutil.rmtree(finished.newest)
    assert finished.outcome([variables.relative_to(finished.root)]) == "made again"
    finished.put_back()


def test_identical_weights_are_not_pushed_again_after_the_metadata_was_lost(
    finished: FinishedWorkspace,
) -> None:
    (finished.root / "metadata.sqlite").unlink()
    assert finished.outcome([Path("metadata.sqlite")]) == "made again"
    assert finished.newest.name == "1"
    finished.put_back()


def test_every_file_that_a_run_left(finished: FinishedWorkspace) -> None:
    """A seal shows each damage of each file; whole runs show what comes of what seals show.

    In a whole run every so many-th artifact is damaged, and what they are made from mostly not. Of
    all other files one of each kind is damaged: those of a cache, a run or the served version
    together, each other one alone.
    """
    by_artifact = {folder: file for file in finished.files if (folder := artifact_of(file))}
    served = finished.newest.relative_to(finished.root)
    sealed = [file for file in finished.files if artifact_of(file) or served in file.parents]
    assert finished.unnoticed(sealed) == []

    ends = list(by_artifact.values())
    for first in range(_ROUNDS):
        name = list(DAMAGES)[first % len(DAMAGES)]
        outcomes = walk(finished, [ends[first::_ROUNDS]], [name])
        assert outcomes[name]["made again"] == 1, first

    others = one_of_each_kind(file for file in finished.files if not artifact_of(file))
    together = [[file for file in others if file.parts[0] == room] for room in _TOGETHER]
    alone = [[file] for file in others if file.parts[0] not in _TOGETHER]
    assert all(together)
    outcomes = walk(finished, [*together, *alone], DAMAGES)
    assert all(each["made again"] for each in outcomes.values()), "the served version"
