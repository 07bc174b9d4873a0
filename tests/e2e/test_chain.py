"""A run that fine-tunes its backbone on related images first, through the command."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from graft_command import Answer
from ready_command import graft

from models.backbone_record import read_record
from pipeline.demo import write_digits

_QUICK = (
    "--backbone", "EfficientNetLite0", "--image-size", "48", "--set", "tuning.budget=0",
    "--epochs", "4", "--set", "evaluation.min_accuracy=0.3",
)  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`odd`, 60 images of each odd digit, and `even`, 25 of each even one."""
    folder = tmp_path_factory.mktemp("chain")
    write_digits(folder / "digits")
    for digit in (folder / "digits").iterdir():
        target = folder / ("odd" if int(digit.name) % 2 else "even") / digit.name
        target.mkdir(parents=True)
        for file in sorted(digit.iterdir())[: 60 if int(digit.name) % 2 else 25]:
            shutil.copy(file, target)
    return folder


def run(folder: Path, *more: str) -> Answer:
    return graft(
        "run", "--json", "--data", folder / "even", "--workspace", folder / "workspace",
        "--set", f"model.chain=[{folder / 'odd'}]", *_QUICK, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    answer = run(folder)
    assert answer.code == 0, answer.err
    return answer.summary


def test_the_lineage_stands_in_summary_report_and_card(folder: Path, told: dict[str, Any]) -> None:
    (link,) = told["model"]["chain"]
    assert (link["name"], link["classes"]) == ("odd", 5)
    assert (folder / "workspace" / "chain" / "1" / "runs" / link["run"]).is_dir()
    assert link["weights_digest"] == told["model"]["weights_digest"]
    assert ".weights.h5 were tried against ImageNet weights" in told["tuning"]["words"]
    words = f"odd ({link['images']} images of 5 classes, data {link['data_fingerprint'][:16]}"
    card = Path(told["model"]["card"]).read_text("utf-8")
    page = (folder / "workspace" / "runs" / told["run_id"] / "report.html").read_text("utf-8")
    for text in (card, page):
        assert "Fine-tuned before on" in text
        assert words in text
    assert "fine-tuned by Graft before, on odd" in card
    assert "Apache Software License 2.0" in card


def test_a_link_is_not_run_again(folder: Path, told: dict[str, Any]) -> None:
    answer = run(folder)
    assert answer.summary["model"]["chain"] == told["model"]["chain"]
    assert len(list((folder / "workspace" / "chain" / "1" / "runs").iterdir())) == 1
    assert "the backbone is fine-tuned on it" not in answer.err
    assert all(each["cached"] for each in answer.summary["stages"].values())


def test_the_next_backbone_tells_of_both_trainings(folder: Path, told: dict[str, Any]) -> None:
    answer = graft("export", "--format", "backbone", "--workspace", folder / "workspace")
    if told["model"]["exported"] == "head":
        assert (answer.code, "is a head on the backbone" in answer.err) == (2, True)
        return
    file = folder / "workspace" / "backbones" / "graft-1.weights.h5"
    assert str(file) in answer.out
    record = read_record(file)
    assert record is not None
    assert [each.name for each in record.links] == ["odd", "graft version 1"]
    assert record.links[0].weights_digest == record.links[1].begun_from


def test_images_that_the_backbone_has_learned_are_not_tested_on(
    folder: Path, told: dict[str, Any]
) -> None:
    (kept,) = (folder / "workspace" / "chain" / "1").glob("*.json")
    file = kept.parent / json.loads(kept.read_text())["file"]
    answer = graft(
        "run", "--json", "--data", folder / "odd", "--workspace", folder / "another",
        "--weights", file, *_QUICK,
    )  # fmt: skip
    assert answer.code == 3
    assert "validation images are among those that the backbone in" in answer.summary["reason"]


def test_a_link_that_fails_fails_the_run_with_its_reason(folder: Path) -> None:
    (folder / "one class").mkdir()
    shutil.copytree(folder / "odd" / "1", folder / "one class" / "1")
    answer = graft(
        "run", "--json", "--data", folder / "even", "--workspace", folder / "failing",
        "--set", f"model.chain=['{folder / 'one class'}']", *_QUICK,
    )  # fmt: skip
    assert (answer.code, answer.summary["status"]) == (3, "failed")
    assert answer.summary["reason"].startswith(f"model.chain: the run on {folder / 'one class'} ")
    assert "A link takes no key of the section data" in answer.summary["reason"]
    assert (folder / "failing" / "runs" / answer.summary["run_id"] / "report.html").is_file()
