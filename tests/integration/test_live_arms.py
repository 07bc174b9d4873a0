"""Each arm of the live comparison, with backbones of eight layers and next to no time."""

from pathlib import Path

import pytest
from search_digits import SIZES, only_small_backbones, small_backbone

import benchmarks.keras_guide
from benchmarks.search.live.arm_names import ARM_NAMES, find_arm
from benchmarks.search.live.arms import old_default
from benchmarks.search.live.drawn_task import draw_task, write_task
from benchmarks.search.live.situation import Clock, Situation
from models.backbone_choice.backbone_choice import Candidate

SMALL = tuple(
    Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size) for size in SIZES
)


@pytest.fixture(scope="module")
def drawn(digits_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "task"
    task = draw_task(digits_folder, 0)
    write_task(task, folder)
    return folder, task


@pytest.fixture
def small(monkeypatch):
    whole_task = Situation.task

    def task(self, *, candidates=SMALL, **settings):
        return whole_task(self, candidates=candidates, **settings)

    monkeypatch.setattr(Situation, "task", task)
    monkeypatch.setattr(old_default, "_CANDIDATE", SMALL[0])
    monkeypatch.setattr(old_default, "_TRIALS", 2)
    monkeypatch.setattr(old_default, "_FINE_TUNED_FROM", 100)
    with only_small_backbones():
        monkeypatch.setattr(benchmarks.keras_guide, "build_backbone", small_backbone)
        yield


@pytest.mark.parametrize(
    "arm",
    [pytest.param(each, marks=() if each == "joint" else pytest.mark.slow) for each in ARM_NAMES],
)
def test_an_arm_answers_the_test_images(arm: str, drawn, small, tmp_path: Path) -> None:
    folder, task = drawn
    situation = Situation(
        examples_uri=str(folder / "examples"),
        images=folder / "images",
        labels=task.files.labels,
        seed=0,
        seconds=1.0,
        scratch=tmp_path,
    )
    outcome = find_arm(arm)(situation, Clock(situation.seconds))
    assert outcome.chosen
    assert outcome.seconds > 0.0
    # By chance it would be a tenth, and a uniform answer has 2.3 nats.
    if arm != "keras-guide":
        assert outcome.accuracy > 0.3
        assert outcome.log_loss < 2.3
