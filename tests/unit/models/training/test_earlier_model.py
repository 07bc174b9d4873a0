from dataclasses import astuple
from pathlib import Path

import keras
import numpy as np
import pytest

from models.backbones import Backbone, build_backbone
from models.backbones.weight_files import digest
from models.embedding import EmbeddingInfo
from models.head.head_model import build_head
from models.training.earlier_model import earlier_by_head, read_earlier_model
from models.training.model_description import Description
from models.training.training_task import with_head

SIZE = 32
LABELS = ("a", "b", "c")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build_backbone("EfficientNetLite0", "none", SIZE)


@pytest.fixture
def head(backbone: Backbone, tmp_path: Path) -> keras.Model:
    """Saved beside the whole model."""
    head = build_head(
        backbone.dimension,
        len(LABELS),
        mean=np.linspace(-1, 1, backbone.dimension, dtype=np.float32),
        variance=np.linspace(1, 2, backbone.dimension, dtype=np.float32),
    )
    head.get_layer("logits").bias.assign([1.0, 2.0, 3.0])
    head.save(tmp_path / "head.keras")
    with_head(backbone.model, head).save(tmp_path / "model.keras")
    return head


def _described(backbone: Backbone, head: keras.Model) -> Description:
    whole = with_head(backbone.model, head)
    return Description(backbone.name, SIZE, digest(whole), LABELS)


def test_the_head_and_the_backbone_at_hand_are_what_the_whole_file_holds(backbone, head, tmp_path):
    described = _described(backbone, head)
    info = EmbeddingInfo(
        backbone=backbone.name,
        weights="none",
        weights_digest=backbone.weights_digest,
        image_size=SIZE,
        resize="stretch",
        features="last",
        dimension=backbone.dimension,
        images=0,
        computed=0,
        reused=0,
        seconds=0.0,
        key="",
    )
    sooner = earlier_by_head(backbone, tmp_path / "head.keras", described)
    read = read_earlier_model(tmp_path / "model.keras", described, info)
    assert sooner is not None
    assert (sooner.labels, sooner.digest) == (read.labels, read.digest)
    assert sooner.backbone.weights_digest == read.backbone.weights_digest
    for one, other in zip(astuple(sooner.head), astuple(read.head), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_start_head_is_begun_from_and_the_exported_one_is_checked(backbone, head, tmp_path):
    described = _described(backbone, head)
    start = build_head(backbone.dimension, len(LABELS))
    start.save(tmp_path / "start.keras")
    files = tmp_path / "head.keras", described, tmp_path / "start.keras"
    begun = earlier_by_head(backbone, *files)
    assert begun is not None
    np.testing.assert_array_equal(begun.head.bias, np.zeros(3))


def test_another_model_is_not_taken_for_it(backbone, head, tmp_path):
    described = _described(backbone, head)
    assert earlier_by_head(backbone, tmp_path / "absent.keras", described) is None
    head.get_layer("logits").bias.assign([1.0, 2.0, 4.0])
    head.save(tmp_path / "head.keras")
    assert earlier_by_head(backbone, tmp_path / "head.keras", described) is None
    wider = build_head(backbone.dimension + 1, len(LABELS))
    wider.save(tmp_path / "head.keras")
    assert earlier_by_head(backbone, tmp_path / "head.keras", described) is None
    (tmp_path / "head.keras").write_bytes(b"no archive")
    assert earlier_by_head(backbone, tmp_path / "head.keras", described) is None
