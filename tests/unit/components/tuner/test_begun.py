"""What is searched where a training begins from an earlier model."""

import json
from pathlib import Path

from components.tuner.executor import _begun
from models.backbone_choice.backbone_choice import Candidate
from models.search.search_task import SearchTask
from models.training.training_settings import TrainingSettings

CANDIDATES = tuple(
    Candidate(backbone=f"EfficientNetLite{number}", weights="imagenet", image_size=160)
    for number in range(3)
)


def _task(tmp_path: Path) -> SearchTask:
    return SearchTask(
        examples_uri=str(tmp_path / "examples"),
        labels=("a", "b"),
        candidates=CANDIDATES,
        resize="stretch",
        features="all",
        training=TrainingSettings(),
        seed=0,
        embeddings=str(tmp_path),
        activations=str(tmp_path),
        left_out=(),
    )


def _model(tmp_path: Path, backbone: str) -> str:
    told = {"backbone": backbone, "image_size": 160, "model_digest": "a", "labels": ["a", "b"]}
    file = tmp_path / backbone / "Format-Serving" / "assets.extra" / "graft.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(told))
    return str(tmp_path / backbone)


def test_the_backbone_of_that_model_is_the_only_candidate(tmp_path: Path) -> None:
    begun = _begun(_task(tmp_path), _model(tmp_path, "EfficientNetLite1"))
    assert begun is not None
    assert begun.candidates == CANDIDATES[1:2]


def test_without_one_or_of_another_backbone_all_is_searched(tmp_path: Path) -> None:
    task = _task(tmp_path)
    assert _begun(task, None) is None
    assert _begun(task, _model(tmp_path, "MobileNetV2")) is None
