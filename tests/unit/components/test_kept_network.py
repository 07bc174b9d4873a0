"""Whether a training keeps the network of the last blessed model."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from components.artifact_names import START_MODEL_FILE
from components.image_register import REGISTER_FILE, ImageRegister
from components.kept_network import LEAST_KNOWN, is_kept, known_share
from models.training.model_description import Network

_NETWORK = Network("0f", "fine_tuned", "", "data", 100, 2)
_Image = tuple[str, str, str]


def _images(count: int, first: int = 0) -> list[_Image]:
    numbers = range(first, first + count)
    return [(f"{each:064x}", "train", "cat" if each % 2 else "dog") for each in numbers]


def _model(folder: Path, images: Iterable[_Image], network: Network | None = _NETWORK) -> Path:
    told = {"backbone": "EfficientNetLite0", "image_size": 64, "model_digest": "0", "labels": []}
    described = folder / "Format-Serving" / "assets.extra" / "graft.json"
    described.parent.mkdir(parents=True)
    described.write_text(json.dumps(told | ({"network": asdict(network)} if network else {})))
    return _registered(folder, images)


def _registered(folder: Path, images: Iterable[_Image]) -> Path:
    folder.mkdir(exist_ok=True)
    ImageRegister.of(images).save(folder / REGISTER_FILE)
    return folder


def test_a_network_is_kept_while_it_knows_nearly_all_images(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(95))
    examples = _registered(tmp_path / "known", _images(100))
    assert known_share(model, examples) == pytest.approx(LEAST_KNOWN)
    assert is_kept(model, examples, "0f")
    assert not is_kept(model, _registered(tmp_path / "new", _images(101)), "0f")
    # A window that moved on: what left it does not count.
    assert is_kept(model, _registered(tmp_path / "window", _images(40, first=56)), "0f")


def test_test_images_do_not_count(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(95))
    test = [(digest, "test", label) for digest, _, label in _images(50, first=200)]
    assert known_share(model, _registered(tmp_path / "data", _images(95) + test)) == 1.0
    assert known_share(model, _registered(tmp_path / "none", test)) == 0.0


def test_an_image_under_another_class_is_a_new_one(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(100))
    other = [(digest, split, "cat") for digest, split, _ in _images(20)]
    mended = _registered(tmp_path / "data", other + _images(80, first=20))
    assert known_share(model, mended) == pytest.approx(0.9)


def test_a_new_class_needs_another_network(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(100))
    bird = ("a" * 64, "train", "bird")
    assert known_share(model, _registered(tmp_path / "data", [*_images(100), bird])) == 0.0


@pytest.mark.parametrize(
    "network",
    [None, replace(_NETWORK, recipe="another"), replace(_NETWORK, exported="head")],
    ids=["earlier Graft", "another configuration", "pretrained"],
)
def test_another_network_is_made_where_it_may_be_a_better_one(
    network: Network | None, tmp_path: Path
) -> None:
    model = _model(tmp_path / "model", _images(10), network)
    assert not is_kept(model, model, "0f")


def test_a_network_that_learned_from_validation_images_is_not_kept(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(10))
    assert is_kept(model, model, "0f")
    (model / "keras").mkdir()
    (model / START_MODEL_FILE).touch()
    assert not is_kept(model, model, "0f")


def test_what_nobody_knows_is_not_kept(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", _images(10))
    examples = _registered(tmp_path / "data", _images(10))
    assert not is_kept(model, tmp_path / "none", "0f")
    assert not is_kept(tmp_path / "none", examples, "0f")
    (model / REGISTER_FILE).write_bytes(b"damaged")
    assert not is_kept(model, examples, "0f")
