"""The component that makes a model's reference, and the push that carries it."""

import hashlib
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_examples import write_examples
from monitored_model import export_monitored, monitored_answers
from PIL import Image
from small_reference import LABELS
from tfx.types import standard_artifacts

from components.artifact_types import MonitoringReference
from components.pusher.push import push_model
from components.reference.executor import Executor
from models.observation.monitoring_settings import MonitoringSettings
from models.observation.reference import REFERENCE, read_reference
from models.observation.stress import stress_plan, stressed_bytes
from models.storage.seals import changed_file, tree_digest

_COUNTS = {"train": 90, "validation": 30, "test": 40}


def _picture(number: int) -> bytes:
    colour = np.random.default_rng(number).integers(0, 256, 3).tolist()
    buffer = io.BytesIO()
    Image.new("RGB", (100, 80), tuple(colour)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A model, its examples, and the images of each split."""
    folder = tmp_path_factory.mktemp("made")
    export_monitored(folder / "model" / "Format-Serving")
    images: dict[str, list[tuple[str, str, bytes]]] = {}
    number = 0
    for split, count in _COUNTS.items():
        images[split] = []
        for place in range(count):
            label = [*LABELS, "unheard of"][place % 4]
            images[split].append((label, f"{split}/{place}.png", _picture(number)))
            number += 1
    images["test"].append(("red", "test/again.png", images["test"][0][2]))
    write_examples(folder / "examples", images)
    return {"folder": folder, "images": images}


def _make(made: dict[str, Any], uri: Path, blessed: int = 1, **settings: Any) -> Path:
    model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    examples, reference = standard_artifacts.Examples(), MonitoringReference()
    model.uri, examples.uri = (str(made["folder"] / name) for name in ("model", "examples"))
    reference.uri = str(uri)
    blessing.set_int_custom_property("blessed", blessed)
    Executor().Do(
        {"model": [model], "examples": [examples], "model_blessing": [blessing]},
        {"reference": [reference]},
        {"settings": MonitoringSettings(**settings).to_json()},
    )
    return uri / REFERENCE


def test_it_has_what_the_served_model_answers_to_test_images(
    made: dict[str, Any], tmp_path: Path
) -> None:
    reference = read_reference(_make(made, tmp_path))
    known = [each for each in made["images"]["test"][:-1] if each[0] in LABELS]
    assert sorted(reference.names) == sorted(name for _, name, _ in known)
    by_name = {name: (label, image) for label, name, image in known}
    images = [by_name[name][1] for name in reference.names]
    truth = monitored_answers(made["folder"] / "model" / "Format-Serving", images)
    assert reference.classes == LABELS
    assert reference.model_digest == "d" * 64
    assert [LABELS[n] for n in reference.labels] == [by_name[n][0] for n in reference.names]
    assert list(reference.digests) == [hashlib.sha256(image).hexdigest() for image in images]
    np.testing.assert_allclose(reference.probabilities, truth["probabilities"], atol=1e-3)
    np.testing.assert_allclose(reference.signals, truth["image_signals"], atol=1e-5)
    np.testing.assert_allclose(
        reference.projections, reference.project(truth["embedding"]), atol=1e-2
    )
    for picture in reference.thumbnails:
        assert Image.open(io.BytesIO(picture)).size == (64, 51)


def test_its_directions_and_anchors_are_of_training_images(
    made: dict[str, Any], tmp_path: Path
) -> None:
    reference = read_reference(_make(made, tmp_path))
    training = [each for each in made["images"]["train"] if each[0] in LABELS]
    assert len(reference.anchors) == len(training)
    np.testing.assert_allclose(reference.anchors.astype(float).mean(axis=0), 0.0, atol=1e-2)
    counts = np.bincount(reference.anchor_labels, minlength=3)
    assert counts.tolist() == [sum(label == each[0] for each in training) for label in LABELS]


def test_it_has_answers_to_test_images_made_worse(made: dict[str, Any], tmp_path: Path) -> None:
    reference = read_reference(_make(made, tmp_path, stressed_images=60))
    stressed = reference.stressed
    assert stressed is not None
    assert len(stressed.labels) == 60
    by_name = {name: image for _, name, image in made["images"]["test"]}
    count = len(reference.names)
    plan = stress_plan(f"{reference.digests[at % count]} {at // count}" for at in range(60))
    assert stressed.changes.tolist() == [each.change for each in plan]
    np.testing.assert_allclose(stressed.strengths, [each.strength for each in plan], atol=1e-6)
    images = [
        stressed_bytes(by_name[reference.names[at % count]], stress)
        for at, stress in enumerate(plan)
    ]
    truth = monitored_answers(made["folder"] / "model" / "Format-Serving", images)
    np.testing.assert_allclose(stressed.probabilities, truth["probabilities"], atol=1e-3)
    np.testing.assert_allclose(stressed.signals, truth["image_signals"], atol=1e-5)
    assert read_reference(_make(made, tmp_path / "none", stressed_images=0)).stressed is None


def test_the_order_of_the_images_changes_nothing(made: dict[str, Any], tmp_path: Path) -> None:
    one = read_reference(_make(made, tmp_path / "one", stressed_images=60))
    shutil.copytree(made["folder"] / "model", tmp_path / "model")
    # The last test image is another one again, with another label, and passed over as before.
    turned = {split: [*images[-2::-1], images[-1]] for split, images in made["images"].items()}
    write_examples(tmp_path / "examples", turned)
    other = read_reference(
        _make(made | {"folder": tmp_path}, tmp_path / "other", stressed_images=60)
    )
    assert other.digests == one.digests
    assert one.stressed is not None
    assert other.stressed is not None
    # What was made of them before is only known where the same is done to the same ones again.
    np.testing.assert_array_equal(other.stressed.labels, one.stressed.labels)
    np.testing.assert_array_equal(other.stressed.changes, one.stressed.changes)
    np.testing.assert_array_equal(other.stressed.strengths, one.stressed.strengths)


def test_the_temperature_is_not_found_on_images_that_the_model_learned_from(
    made: dict[str, Any], tmp_path: Path
) -> None:
    assert read_reference(_make(made, tmp_path / "found")).temperature != 1.0
    export_monitored(tmp_path / "model" / "Format-Serving", learned_from_validation=True)
    learned = made | {"folder": tmp_path}
    shutil.copytree(made["folder"] / "examples", tmp_path / "examples")
    assert read_reference(_make(learned, tmp_path / "kept")).temperature == 1.0


def test_images_are_no_more_than_asked_for(made: dict[str, Any], tmp_path: Path) -> None:
    path = _make(made, tmp_path, reference_images=20, reference_pictures=False)
    reference = read_reference(path)
    assert (len(reference.names), len(reference.anchors)) == (20, 10)
    assert reference.thumbnails == ()


def test_a_model_that_is_not_blessed_gets_none(made: dict[str, Any], tmp_path: Path) -> None:
    assert not _make(made, tmp_path, blessed=0).exists()


def test_it_is_pushed_with_the_model_that_was_proved(made: dict[str, Any], tmp_path: Path) -> None:
    source, serving = made["folder"] / "model" / "Format-Serving", tmp_path / "serving"
    file = _make(made, tmp_path / "reference")
    proved = tree_digest(source)
    bare = push_model(source, serving, proved)
    assert bare.version == 1
    pushed = push_model(source, serving, proved, [file])
    assert (pushed.version, pushed.digest) == (2, tree_digest(serving / "2"))
    assert changed_file(serving / "2") is None
    assert read_reference(serving / "2" / "assets.extra" / REFERENCE).classes == LABELS
    again = push_model(source, serving, proved, [file])
    assert (again.version, again.new, again.digest) == (2, False, pushed.digest)
    assert push_model(source, serving, proved).new is False
