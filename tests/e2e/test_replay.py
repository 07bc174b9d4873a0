"""New classes on top of a blessed model, as a scheduler that runs each stage by itself brings them.

The digits 0 to 7 come first, 8 and 9 in a span of their own, with images of the others replayed.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from graft_command import Answer
from ready_command import graft

pytestmark = pytest.mark.slow
_LENIENT = {
    "model.image_size": 64,
    "training.strategy": "feature_extraction",
    "evaluation.min_accuracy": 0.2,
    "evaluation.max_drop_below_probe": 1.0,
    "evaluation.max_accuracy_drop": 1.0,
    "evaluation.max_forgetting": 1.0,
}


@pytest.fixture(scope="module")
def spans(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spans = tmp_path_factory.mktemp("spans")
    for folder in digits_folder.iterdir():
        shutil.copytree(folder, spans / str(int(folder.name in "89") + 1) / folder.name)
    return spans


def _graft(command: tuple[str, ...], spans: Path, **more: Any) -> Answer:
    keys = {"data.path": f"{spans}/{{SPAN}}", "data.replay": 10, **_LENIENT, **more}
    said = [each for key, value in keys.items() for each in ("--set", f"{key}={value}")]
    return graft(*command, *said, "--json")


def test_a_span_of_new_classes_begins_from_the_model_before(spans: Path, tmp_path: Path) -> None:
    where = ("--workspace", str(tmp_path / "work"))
    newest = spans / "2"
    newest.rename(tmp_path / "later")
    first = _graft(("run", *where), spans, **{"tuning.budget": 0})
    assert (first.code, first.summary["model"]["start"]) == (0, "pretrained")
    (tmp_path / "later").rename(newest)
    assert _graft(("run", *where), spans).code == 3  # classes that nobody accepted
    assert graft("schema", "accept", *where).code == 0
    trained = _graft(("stage", "Trainer", *where), spans)
    assert trained.code == 0
    second = _graft(("run", *where), spans)
    assert second.summary["model"]["start"] == "champion"
    assert second.summary["tuning"]["words"].startswith(
        "Nothing was searched: the training goes on from the last blessed model"
    )
    assert second.summary["stages"]["Trainer"]["cached"]
    third = _graft(("run", *where), spans)
    assert all(stage["cached"] for stage in third.summary["stages"].values())
