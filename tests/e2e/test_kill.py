"""Kills a run at every one of its stages; the same command must then finish the work."""

import random
from pathlib import Path

import pytest
from killed_run import assert_nothing_is_left_of_a_kill, kill_at
from PIL import Image, ImageOps
from ready_command import graft

from pipeline.node_names import PUBLISHER
from pipeline.terminal.stage_titles import TITLES
from pipeline.workspace import Workspace

pytestmark = pytest.mark.slow


def test_kill_at_every_stage_then_finish(digits_folder: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    for file in sorted((digits_folder / "3").iterdir())[:12]:
        with Image.open(file) as image:
            ImageOps.mirror(image).save(unlabelled / file.name)
    target = tmp_path / "target"
    target.mkdir()
    for file in (file for digit in "56" for file in (digits_folder / digit).iterdir()):
        with Image.open(file) as image:
            ImageOps.invert(image.convert("L")).save(target / file.name)
    command = (
        "run", "--json", "--data", digits_folder, "--workspace", workspace.root,
        "--image-size", "32", "--trials", "3", "--strategy", "fine_tune", "--epochs", "2",
        "--set", "evaluation.min_accuracy=0.1", "--set", "tuning.budget=10m",
        "--set", "evaluation.max_drop_below_probe=1.0",
        "--set", "model.candidates=[{image_size: 32}, {image_size: 48}]",
        "--set", f"data.unlabelled={unlabelled}", "--set", f"data.target={target}",
    )  # fmt: skip
    moment = random.Random(0)
    # Publisher needs an object storage: `test_object_storage.py` kills it.
    for stage in (each for each in TITLES if each != PUBLISHER):
        kill_at(stage, workspace, command, moment)

    done = graft(*command)
    assert done.code == 0, done.err
    assert done.summary["status"] == "pushed"
    assert done.summary["stages"]["Trainer"]["cached"]
    assert [path.name for path in (workspace.root / "serving" / "graft").iterdir()] == ["1"]
    assert_nothing_is_left_of_a_kill(workspace)
