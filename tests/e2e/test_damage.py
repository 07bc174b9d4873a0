"""Damages each file that a run left; the same command then ends well or says what is wrong."""

from pathlib import Path

import pytest
from damage import DAMAGES, FinishedWorkspace, walk
from graft_command import Answer, graft_here

_CHEAP = (
    "serving/graft/1/variables/variables.data*", "serving/graft/1/saved_model.pb",
    "serving/graft/1/assets.extra/SHA256SUMS", "artifacts/Pusher/pushed_model/*/push.json",
    "metadata.sqlite*", "schema/.*", "cache/digests/*", "cache/embeddings/*/*",
    "runs/*/summary.json", "runs/*/config.yaml", "runs/*/report.html",
)  # fmt: skip
"""Files whose damage costs less than a training."""


@pytest.fixture(scope="module")
def finished(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedWorkspace:
    folder = tmp_path_factory.mktemp("damage")
    root = folder / "workspace"

    def run() -> Answer:
        return graft_here(
            folder, "run", "--json", "--data", digits_folder, "--workspace", root,
            "--image-size", "32", "--trials", "2", "--strategy", "feature_extraction",
            "--set", "tuning.epochs=5", "--set", "tuning.finalists=1",
            "--set", "evaluation.min_accuracy=0.1",
        )  # fmt: skip

    return FinishedWorkspace(root, run)


def test_what_a_second_run_reads_is_checked(finished: FinishedWorkspace) -> None:
    files = [file for file in finished.files if any(file.match(each) for each in _CHEAP)]
    outcomes = walk(finished, files[::3], ["flip"])
    assert outcomes["flip"]["made again"] > 0
    assert outcomes["flip"]["exit 1"] > 0


@pytest.mark.slow
def test_every_file_that_a_run_left(finished: FinishedWorkspace) -> None:
    outcomes = walk(finished, finished.files, list(DAMAGES))
    print(len(finished.files), "files:", outcomes)
    assert all(outcome["made again"] for outcome in outcomes.values())
