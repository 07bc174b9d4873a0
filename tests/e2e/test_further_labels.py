"""A manifest with further label columns, from the file to the answers of the pushed model.

Parity is told by the digit, of every fifth image nobody says it; luck is drawn for each image.
"""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from graft_command import Answer
from ready_command import graft
from training_digits import parity

from models.errors import BadDataError, NotBlessedError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def manifest(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(0)
    file = tmp_path_factory.mktemp("manifest") / "digits.csv"
    with file.open("w", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(("path", "label", "parity", "luck", "rare"))
        for number, path in enumerate(sorted(digits_folder.glob("*/*.png"))):
            luck = draw.choice(("good", "bad"))
            rows.writerow((path, path.parent.name, parity(path), luck, "x" if number < 3 else ""))
    return file


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("further") / "workspace"


def run(manifest: Path, workspace: Path, columns: str) -> Answer:
    return graft(
        "run", "--json", "--workspace", workspace, "--data", manifest, "--image-size", "64",
        "--strategy", "feature_extraction", "--set", "tuning.budget=0",
        "--set", "evaluation.min_accuracy=0.3", "--set", f"data.further_labels={columns}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def with_luck(manifest: Path, workspace: Path) -> Answer:
    return run(manifest, workspace, "[parity, luck]")


@pytest.fixture(scope="module")
def pushed(manifest: Path, workspace: Path, with_luck: Answer) -> dict[str, Any]:
    del with_luck  # in the same workspace, and before
    answer = run(manifest, workspace, "[parity]")
    assert answer.code == 0, answer.err
    return answer.summary


def test_a_column_that_nothing_can_be_learned_from_stops_the_run(
    manifest: Path, tmp_path: Path
) -> None:
    answer = run(manifest, tmp_path / "workspace", "[rare]")
    assert answer.code == BadDataError.exit_code
    assert (
        "further_labels: the column 'rare' should name at least 2 classes"
        in answer.summary["reason"]
    )
    assert "Tuner" not in answer.summary["stages"]


def test_a_column_that_cannot_be_learned_stops_the_push(with_luck: Answer) -> None:
    assert with_luck.code == NotBlessedError.exit_code
    assert "Accuracy in luck is" in with_luck.summary["reason"]
    assert "parity" not in with_luck.summary["reason"]
    assert set(with_luck.summary["metrics"]["further_labels"]) == {"parity", "luck"}


def test_each_column_is_counted_judged_and_served(
    pushed: dict[str, Any], with_luck: Answer, digits_folder: Path, workspace: Path
) -> None:
    paths = sorted(digits_folder.glob("*/*.png"))
    counted = pushed["data"]["further_labels"]["parity"]
    assert counted["images"] == sum(bool(parity(path)) for path in paths) < len(paths)
    assert pushed["metrics"]["accuracy"] == with_luck.summary["metrics"]["accuracy"]
    parities = pushed["metrics"]["further_labels"]["parity"]
    assert parities["accuracy"] > parities["frequent_share"]
    answer = graft("predict", "--json", "--workspace", workspace, *paths[:40:10])
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [set(row["further_labels"]) for row in rows] == [{"parity"}] * 4
    assert {row["further_labels"]["parity"]["label"] for row in rows} <= {"even", "odd"}
