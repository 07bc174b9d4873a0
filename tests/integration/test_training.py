"""Training on digits with real ImageNet weights, at 64 pixels to be quick."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from training_digits import (
    answers_of,
    digit_paths,
    digits_task,
    named_backbone,
    pixels,
    tiny_backbone,
)

from models.embedding import EmbeddingSplit
from models.head.embedded_task import embedded_task
from models.head.evidence import Comparison
from models.training import train as training
from models.training.top_trainer import TopTrainer
from models.training.train import Trained, train

PROGRAM = Path(__file__).parents[1] / "training_digits.py"


def statistics(model: keras.Model) -> list[np.ndarray]:
    return [
        np.array(weight)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        for weight in (layer.moving_mean, layer.moving_variance)
    ]


@dataclass
class Run:
    """A fine-tuning, and the backbone's weights before it."""

    trained: Trained
    before: keras.Model
    after: keras.Model


@pytest.fixture(scope="module")
def fine_tuned(digits_folder, tmp_path_factory) -> Run:
    task = digits_task(digits_folder, tmp_path_factory.mktemp("fine_tuned"), refit_images=0)
    before = keras.models.clone_model(task.backbone.model)
    before.set_weights(task.backbone.model.get_weights())
    return Run(train(task), before, task.backbone.model)


def assert_the_top_alone_has_moved(before: keras.Model, after: keras.Model) -> None:
    for old, new in zip(statistics(before), statistics(after), strict=True):
        np.testing.assert_array_equal(old, new)
    names = [layer.name for layer in before.layers if hasattr(layer, "kernel")]
    moved = [
        name
        for name in names
        if not np.array_equal(before.get_layer(name).kernel, after.get_layer(name).kernel)
    ]
    assert moved == names[-len(moved) :]
    assert 0.3 * len(names) < len(moved) < 0.7 * len(names)


def test_the_head_alone_leaves_the_backbone_as_it_is(digits_folder, tmp_path):
    task = digits_task(digits_folder, tmp_path, strategy="feature_extraction")
    before = task.backbone.model.get_weights()
    trained = train(task)
    for old, new in zip(before, task.backbone.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    record = trained.record.to_values()
    assert [phase["name"] for phase in record["phases"]] == ["head"]
    assert (record["strategy"], record["exported"]) == ("feature_extraction", "head")
    assert record["validation_accuracy"] == record["head_validation_accuracy"] > 0.4


def test_fine_tuning_moves_the_top_and_neither_the_bottom_nor_batch_statistics(fine_tuned):
    assert fine_tuned.trained.record.exported == "fine_tuned"
    assert_the_top_alone_has_moved(fine_tuned.before, fine_tuned.after)


@pytest.mark.slow
def test_so_it_does_in_half_precision_where_activations_do_not_fit_the_cache(
    digits_folder, tmp_path
):
    task = digits_task(digits_folder, tmp_path, epochs=1, cache_gigabytes=0.0)
    before = keras.models.clone_model(task.backbone.model)
    before.set_weights(task.backbone.model.get_weights())
    top = TopTrainer(task, _untrained_head(task), "mixed_float16").train(task)
    assert any("anew in every epoch" in note for note in top.notes)
    assert_the_top_alone_has_moved(before, task.backbone.model)
    assert not list((tmp_path / "scratch").rglob("*.npy"))
    assert {weight.dtype for weight in task.backbone.model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def _untrained_head(task) -> keras.Model:
    return keras.Sequential([keras.Input((task.backbone.dimension,)), keras.layers.Dense(10)])


def test_the_record_tells_what_happened(fine_tuned):
    record = fine_tuned.trained.record.to_values()
    head, top = record["phases"]
    assert (head["name"], top["name"]) == ("head", "fine_tune")
    assert top["first_epoch"] == head["epochs"]
    epochs = head["epochs"] + top["epochs"]
    assert {len(values) for values in record["history"].values()} == {epochs}
    assert all(value is not None for values in record["history"].values() for value in values)
    kept = record["history"]["val_accuracy"][top["best_epoch"]]
    expected = kept if record["exported"] == "fine_tuned" else record["head_validation_accuracy"]
    assert record["validation_accuracy"] == pytest.approx(expected)
    assert record["class_weights"] == pytest.approx({str(digit): 1.0 for digit in range(10)})
    assert any("frozen" in note for note in record["notes"])
    assert any("mirrored" in note for note in record["notes"])
    assert record["resumed_from_epoch"] is None


def test_the_model_answers_as_well_as_the_record_says(fine_tuned, digits_folder):
    answers = answers_of(fine_tuned.trained.model, pixels(digits_folder, "validation"))
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-5)
    truth = [int(path.parent.name) for path in digit_paths(digits_folder)["validation"]]
    accuracy = np.mean(answers.argmax(axis=1) == truth)
    # Activations are kept in half precision, so an image on the edge may fall to the other side.
    assert accuracy == pytest.approx(fine_tuned.trained.record.validation_accuracy, abs=0.051)


def test_the_fine_tuned_model_is_calibrated_as_the_record_says(fine_tuned, digits_folder):
    found = fine_tuned.trained.record.calibration
    assert found.loss_after < found.loss_before, "smoothed labels left it too unsure"
    assert found.temperature < 1.0
    answers = answers_of(fine_tuned.trained.model, pixels(digits_folder, "validation"))
    truth = [int(path.parent.name) for path in digit_paths(digits_folder)["validation"]]
    loss = -np.log(answers[np.arange(len(truth)), truth]).mean()
    # Activations are kept in half precision.
    assert loss == pytest.approx(found.loss_after, rel=0.05)


def test_a_linear_head_alone_is_calibrated_too(digits_folder, tmp_path):
    settings = {"strategy": "feature_extraction", "few_shot_images": 0, "refit_images": 0}
    trained = train(digits_task(digits_folder, tmp_path, tiny_backbone(), **settings))
    assert not trained.start.is_given
    found = trained.record.calibration
    assert found is not None
    assert trained.record.to_values()["calibration"]["temperature"] == found.temperature != 1.0
    answers = answers_of(trained.model, pixels(digits_folder, "validation"))
    truth = [int(path.parent.name) for path in digit_paths(digits_folder)["validation"]]
    loss = -np.log(answers[np.arange(len(truth)), truth]).mean()
    assert loss == pytest.approx(found.loss_after, rel=1e-3)


def test_what_is_left_out_neither_teaches_nor_judges(digits_folder, tmp_path):
    """Two training images and one to validate on, also where what is exported learns from all."""
    whole = digits_task(digits_folder, tmp_path, tiny_backbone(), few_shot_images=0)
    paths = digit_paths(digits_folder)
    some = {"train": [3, 50], "validation": [7]}
    names = [
        f"{paths[split][row].parent.name}/{paths[split][row].name}"
        for split, rows in some.items()
        for row in rows
    ]
    splits = [
        EmbeddingSplit(
            embedded.embeddings,
            np.array([path.parent.name for path in paths[split]]),
            *[np.array([f"{path.parent.name}/{path.name}" for path in paths[split]])] * 2,
        )
        for split, embedded in (
            ("train", whole.embeddings.train),
            ("validation", whole.embeddings.validation),
        )
    ]
    task = replace(
        whole,
        embeddings=embedded_task(splits[0], splits[1], whole.labels, names),
        left_out=tuple(names),
    )
    for images, embedded, count in (
        (task.train, task.embeddings.train, 118),
        (task.validation, task.embeddings.validation, 39),
    ):
        assert len(embedded.classes) == count
        np.testing.assert_array_equal(images.classes(), embedded.classes)
    record = train(task).record
    assert (record.exported, record.refitted_images) == ("fine_tuned", 157)


@pytest.mark.parametrize(
    ("gain", "settings", "exported"),
    [
        (0.02, {}, "head"),
        (0.02, {"few_shot_images": 0}, "fine_tuned"),
        (0.20, {}, "fine_tuned"),
    ],
)
def test_of_few_images_a_fine_tuned_model_has_to_be_better_for_sure(
    digits_folder, tmp_path, monkeypatch, gain, settings, exported
):
    monkeypatch.setattr(training, "compare", lambda *_: Comparison(gain, error=0.05))
    record = train(
        digits_task(digits_folder, tmp_path, tiny_backbone(), epochs=1, **settings)
    ).record
    assert record.exported == exported
    assert ("90% sure" in record.exported_reason) == (exported == "head")


def test_a_fine_tuning_that_loses_is_dropped_for_the_head(digits_folder, tmp_path):
    task = digits_task(digits_folder, tmp_path, tiny_backbone(), epochs=2, learning_rate=1e15)
    before = task.backbone.model.get_weights()
    trained = train(task)
    record = trained.record
    assert record.exported == "head"
    assert len(record.phases[1].epochs) == 1, "a diverged training stops"
    assert record.to_values()["history"]["val_loss"][-1] is None
    assert "lost" in record.exported_reason
    assert record.validation_accuracy == record.head_validation_accuracy
    assert record.strategies[0].kept
    assert record.calibration is None, "the few-shot head has a temperature of its own"
    assert record.refitted_images == 0, "it learned from the validation images already"
    assert trained.start.head is not None
    for old, new in zip(before, task.backbone.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@dataclass
class Whole:
    """A training of a backbone that ended without a kill."""

    folder: Path
    backbone: str
    trained: Trained


@pytest.fixture(
    scope="module", params=["tiny", pytest.param("EfficientNetLite0", marks=pytest.mark.slow)]
)
def whole(request, digits_folder, tmp_path_factory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    task = digits_task(digits_folder, folder, named_backbone(request.param))
    return Whole(folder, request.param, train(task))


def test_a_killed_training_ends_like_one_that_was_not(whole, digits_folder, tmp_path):
    killed = subprocess.run(
        [sys.executable, str(PROGRAM), str(digits_folder), str(tmp_path), "2", whole.backbone],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[1])},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    resumed = train(digits_task(digits_folder, tmp_path, named_backbone(whole.backbone)))
    # The second epoch was over, but not yet saved.
    assert resumed.record.resumed_from_epoch == 1
    # One machine, one result: to the last bit, in whatever process and beside whatever else.
    assert resumed.record.to_values()["history"] == whole.trained.record.to_values()["history"]
    for ours, theirs in zip(
        resumed.model.get_weights(), whole.trained.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_finished_training_is_not_repeated(whole, digits_folder):
    again = train(digits_task(digits_folder, whole.folder, named_backbone(whole.backbone)))
    assert again.record.resumed_from_epoch == 3
    images = pixels(digits_folder)
    np.testing.assert_array_equal(
        answers_of(again.model, images), answers_of(whole.trained.model, images)
    )
    scratch = whole.folder / "scratch"
    left = [path.name for path in scratch.rglob("*") if path.is_file()]
    assert set(left) == {"state.npz"}, "activations are deleted"


def test_trainings_on_other_images_share_no_activations(digits_folder, tmp_path):
    turned = tmp_path / "turned"
    for path in sorted(digits_folder.glob("*/*.png")):
        target = turned / str(9 - int(path.parent.name)) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    def epochs(digits: Path, name: str, activations: Path) -> tuple[dict[str, Any], ...]:
        keras.backend.clear_session()  # else each backbone's layers have names of their own
        task = digits_task(digits, tmp_path / name, tiny_backbone(), epochs=1)
        task = replace(task, activations=activations)
        return TopTrainer(task, _untrained_head(task), "float32").train(task).phase.epochs

    epochs(digits_folder, "first", tmp_path / "shared")
    beside = epochs(turned, "beside", tmp_path / "shared")
    assert beside == epochs(turned, "alone", tmp_path / "own")
