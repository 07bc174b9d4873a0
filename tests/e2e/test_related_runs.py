"""A second run, on data related to the first one's, starts warm; and the histories that both leave.

Two data sets, the digits 0 to 4 and 5 to 9, in one workspace, through the command.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graft_command import Answer, graft_here
from ready_command import graft

from models.history.shipped import starter_files
from pipeline.workspace import Workspace

_QUICK = (
    "--set", "model.candidates=[{image_size: 64}, {image_size: 32}]",
    "--strategy", "feature_extraction", "--set", "tuning.budget=10m",
    "--set", "evaluation.min_accuracy=0.3",
)  # fmt: skip

Knowledge = Callable[..., Answer]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("related") / "workspace")


def run(workspace: Workspace, digits: Path, name: str, classes: str, trials: int) -> dict[str, Any]:
    data = workspace.root.parent / name
    for digit in classes:
        shutil.copytree(digits / digit, data / digit)
    answer = graft(
        "run", "--json", "--workspace", workspace.root, "--data", data, "--trials", str(trials),
        *_QUICK, "--set", f"validation.schema_path={data}.pbtxt",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    return answer.summary


@pytest.fixture(scope="module")
def first(workspace: Workspace, digits_folder: Path) -> dict[str, Any]:
    return run(workspace, digits_folder, "low digits", "01234", trials=4)


@pytest.fixture(scope="module")
def second(workspace: Workspace, digits_folder: Path, first: dict[str, Any]) -> dict[str, Any]:
    return run(workspace, digits_folder, "high digits", "56789", trials=3)


@pytest.fixture
def knowledge(workspace: Workspace, tmp_path: Path) -> Knowledge:
    def ask(*arguments: str | Path, root: Path = workspace.root) -> Answer:
        return graft_here(tmp_path, "knowledge", *arguments, "--workspace", root)

    return ask


def test_the_first_run_starts_from_what_comes_with_graft(first: dict[str, Any]) -> None:
    past = first["tuning"]["past"]
    assert len(past) == len(starter_files())
    assert all("(starter), " in name for name in past)


def test_the_second_run_starts_from_the_first_and_its_report_says_so(
    second: dict[str, Any], workspace: Workspace
) -> None:
    told = second["tuning"]
    assert told["past"][0].startswith("low digits, ")
    assert len(told["past"]) == len(starter_files()) + 1
    assert told["past_trusted"] is not None
    page = (workspace.run_folders()[-1] / "report.html").read_text("utf-8")
    assert "It learned from the curves of" in page
    assert told["past"][0] in page


def test_both_are_listed_shown_and_carried_to_another_workspace(
    second: dict[str, Any], knowledge: Knowledge, tmp_path: Path
) -> None:
    listed = knowledge("list")
    lines = listed.out.splitlines()[1:]
    assert listed.code == 0
    assert ["high digits, " in lines[0], "low digits, " in lines[1]] == [True, True]
    shown = knowledge("show", "low")
    assert (shown.code, shown.out.splitlines()[0].startswith("low digits, ")) == (0, True)
    assert "2 completed, 0 failed; warm" in shown.out

    assert knowledge("export", tmp_path / "team").code == 0
    elsewhere = tmp_path / "elsewhere"
    assert knowledge("import", tmp_path / "team", root=elsewhere).code == 0
    names = [line.split(", ")[0] for line in knowledge("list", root=elsewhere).out.splitlines()[1:]]
    assert {"high digits", "low digits"} <= {name.lstrip(" 0123456789") for name in names}

    assert "1 of 2 histories were forgotten" in knowledge("prune", "--keep", "1").out
    left = knowledge("list").out
    assert "high digits, " in left
    assert "low digits, " not in left
