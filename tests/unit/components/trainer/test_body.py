"""Tests of the name of all of an export but its head."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from search_digits import small_backbone

from components.trainer.run_fn import _body
from models.backbones import Backbone
from models.backbones.cuts import find_cuts
from models.data.image_decoding import ImageSpec

_CONFIG = {"max_pixels": 10**6, "code": "c" * 64}


def _name(folder: Path, backbone: Backbone, exported: str = "head", **config: Any) -> str:
    task: Any = SimpleNamespace(backbone=backbone, spec=ImageSpec(32), examples_uri=str(folder))
    trained: Any = SimpleNamespace(record=SimpleNamespace(exported=exported))
    read: Any = SimpleNamespace(task=task)
    return _body(trained, read, _CONFIG | config)


@pytest.fixture
def backbone() -> Backbone:
    return small_backbone("small", "none", 32)


def test_what_a_head_reads_has_a_name_of_its_own(tmp_path: Path, backbone: Backbone) -> None:
    name = _name(tmp_path, backbone)
    assert name == _name(tmp_path, small_backbone("small", "none", 32))
    # The weights are the same, the features are not.
    assert name != _name(tmp_path, replace(backbone, blocks=find_cuts(backbone.trunk)[:1]))
    assert name != _name(tmp_path, backbone, code="d" * 64)
    kernel = backbone.model.weights[0]
    kernel.assign(2.0 * kernel)
    assert name != _name(tmp_path, backbone)


def test_a_fine_tuned_one_has_none(tmp_path: Path, backbone: Backbone) -> None:
    assert _name(tmp_path, backbone, exported="fine_tuned") == ""
