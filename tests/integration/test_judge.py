import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from judged_world import CLASSES, SETTINGS, World, example, outputs
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.types import standard_artifacts

from components.exported_models.exported_model import ExportedModel
from components.image_register import REGISTER_FILE, ImageRegister
from components.judge.component import Judge
from components.judge.executor import Executor
from components.judge.forgetting import check_forgetting, find_forgetting, images_to_remember
from components.judge.paired_answers import Baseline, paired_answers
from components.judge.predicting import AskedModels, predict_split
from components.judge.prediction_file import load_predictions
from models.errors import BadDataError, GraftError


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="module")
def evaluation(world):
    return world.evaluate(world.good)


@pytest.fixture(scope="module")
def weak_evaluation(world):
    return world.evaluate(world.weak)


def _judge(world, folder, model, evaluation, baseline=None, **settings):
    _, blessing = outputs(folder)
    inputs = {
        "examples": [world.examples],
        "model": [model],
        "baseline_model": [baseline] if baseline else [],
        "evaluation": [evaluation],
    }
    properties = {"settings": SETTINGS.model_copy(update=settings).to_json(), "code": ""}
    Executor().Do(inputs, {"blessing": [blessing]}, properties)
    return blessing, json.loads((Path(blessing.uri) / "verdict.json").read_text())


def _check(verdict: dict, name: str) -> dict:
    return next(check for check in verdict["checks"] if check["name"] == name)


def test_a_good_model_is_blessed_with_its_reason(world, evaluation, tmp_path):
    blessing, verdict = _judge(world, tmp_path, world.good, evaluation)
    assert verdict["blessed"] is True
    assert verdict["reason"].startswith("Accuracy 0.9")
    assert (Path(blessing.uri) / "BLESSED").exists()
    assert _check(verdict, "max_accuracy_drop")["value"] is None
    assert _check(verdict, "max_drop_below_probe")["value"] is None
    predictions = load_predictions(Path(blessing.uri) / "predictions.npz")
    assert predictions.classes == CLASSES
    assert predictions.probabilities.shape == (150, 10)
    metrics = json.loads((Path(blessing.uri) / "metrics.json").read_text())
    assert metrics["quality"]["images"] == 150
    assert metrics["quality"]["accuracy"] == pytest.approx(predictions.right.mean())
    sliced = {each["feature"] for each in metrics["slices"]}
    assert sliced >= {"sharpness", "brightness_mean", "slice/site"}
    assert {(each["column"], each["value"]) for each in metrics["gaps"]} == {
        ("site", "north"),
        ("site", "south"),
    }
    assert "slice" in _check(verdict, "max_slice_gap")["words"]
    assert sum(each["images"] for each in metrics["calibration"]) == 150


def test_the_strategy_of_tfx_finds_the_blessing(world, evaluation, tmp_path):
    blessing, _ = _judge(world, tmp_path, world.good, evaluation)
    inputs = {"model": [world.weak, world.good], "model_blessing": [blessing]}
    resolved = LatestBlessedModelStrategy().resolve_artifacts(None, inputs)
    assert resolved == {"model": [world.good], "model_blessing": [blessing]}


def test_the_served_model_is_asked_about_covered_images(world, evaluation, tmp_path):
    _, verdict = _judge(world, tmp_path, world.good, evaluation, shortcuts="error")
    check = _check(verdict, "shortcuts")
    assert check["passed"]
    assert check["words"] == "No class is answered by a fixed part of the picture alone"


def test_a_weak_model_is_refused_for_every_reason(world, weak_evaluation, tmp_path):
    blessing, verdict = _judge(
        world, tmp_path, world.weak, weak_evaluation, world.good, min_class_recall=0.9
    )
    assert verdict["blessed"] is False
    assert (Path(blessing.uri) / "NOT_BLESSED").exists()
    failed = {check["name"] for check in verdict["checks"] if not check["passed"]}
    assert failed >= {"max_accuracy_drop", "min_class_recall"}
    assert "evaluation.max_accuracy_drop" in verdict["reason"]
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_int_custom_property("baseline_model_id") == world.good.id
    assert blessing.get_string_custom_property("blessing_message") == verdict["reason"]


def test_accuracy_below_the_least_fails_in_tfma_too(world, weak_evaluation, tmp_path):
    _, verdict = _judge(world, tmp_path, world.weak, weak_evaluation, min_accuracy=0.99)
    assert not _check(verdict, "min_accuracy")["passed"]


def test_a_model_worse_than_the_probe_is_negative_transfer(
    world, evaluation, weak_evaluation, tmp_path
):
    good, _ = _judge(world, tmp_path / "good", world.good, evaluation)
    probe = load_predictions(Path(good.uri) / "predictions.npz")
    file = Path(world.weak.uri) / "probe_predictions.npz"
    np.savez(
        file,
        names=np.array(probe.names[::-1]),
        probabilities=probe.probabilities[::-1],
    )
    _, verdict = _judge(world, tmp_path / "weak", world.weak, weak_evaluation, min_accuracy=0.1)
    file.unlink()
    check = _check(verdict, "max_drop_below_probe")
    assert check["passed"] is False
    assert "the head on the frozen backbone" in check["words"]
    weak = load_predictions(tmp_path / "weak" / "blessing" / "predictions.npz")
    assert check["value"] == pytest.approx(probe.right.mean() - weak.right.mean())


def test_a_baseline_of_other_classes_is_compared_on_those_that_both_know(
    world, evaluation, tmp_path
):
    other = world.model("other", 3, range(300, 1700), classes=(*CLASSES[:9], "nine"))
    blessing, verdict = _judge(world, tmp_path, world.good, evaluation, other)
    check = _check(verdict, "max_accuracy_drop")
    assert (check["passed"], check["value"]) == (True, 0.0)
    assert "between the 9 classes that both know" in check["words"]
    metrics = json.loads((Path(blessing.uri) / "metrics.json").read_text())
    forgetting = metrics["forgetting"]
    assert (forgetting["drop"], forgetting["lost"]) == (0.0, [])
    assert {each["label"] for each in forgetting["classes"]} == set(CLASSES[:9])
    assert "on the 9 classes that it knew" in _check(verdict, "max_forgetting")["words"]
    changes = json.loads((Path(blessing.uri) / "class_changes.json").read_text())["changes"]
    assert [(each["kind"], each["before"], each["after"]) for each in changes] == [
        ("added", [], ["digit 9"]),
        ("removed", ["nine"], []),
    ]


def _sha256(row: int) -> str:
    return hashlib.sha256(str(row).encode()).hexdigest()


def _write(world, folder: Path, rows, names) -> None:
    (folder / "Split-test").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "Split-test" / "data")) as writer:
        for row in rows:
            label = names[world.target[row]]
            writer.write(example(world.pixels[row], label, f"{row}.png", _sha256(row)))


def _register(world, folder: Path, learned, tested, names) -> None:
    rows = [(_sha256(row), "train", names[world.target[row]]) for row in learned]
    rows += [(_sha256(row), "test", names[world.target[row]]) for row in tested]
    ImageRegister.of(rows).save(folder / REGISTER_FILE)


def test_old_and_new_test_images_decide_and_none_that_either_learned(world, tmp_path):
    now, renamed = tmp_path / "now", ("zero", *CLASSES[1:])
    _write(world, now, range(150), renamed)
    # Rows 190 to 200 were test images before and are learned now; 0 to 20 the other way round.
    _register(world, now, [*range(190, 200), *range(300, 400)], range(150), renamed)
    older = tmp_path / "older"
    _write(world, older, range(100, 200), CLASSES)
    _register(world, older, [*range(20), *range(300, 360)], range(100, 200), CLASSES)
    candidate = world.model("candidate", 5, range(300, 1700), classes=renamed)
    answers = predict_split(ExportedModel(candidate.uri), str(now), "test")
    digests = [_sha256(row) for row in range(150)]
    baseline = Baseline(world.weak.uri, str(older))
    paired = paired_answers(answers, digests, candidate.uri, str(now), baseline, AskedModels())
    assert paired.new.names == paired.old.names == [f"{row}.png" for row in range(20, 190)]
    assert paired.was_test.tolist() == [row >= 100 for row in range(20, 190)]
    assert paired.left_out == 20
    assert [(each.kind, each.before, each.after) for each in paired.changes] == [
        ("renamed", ("digit 0",), ("zero",))
    ]
    assert set(paired.new.classes) == set(renamed)
    zeros = world.target[20:190] == 0
    assert paired.old.right[zeros].mean() > 0.8
    assert paired.new.right.mean() > paired.old.right.mean()
    assert paired.served.before.tolist() == paired.old.right.tolist()
    assert paired.served.after.tolist() == paired.new.right.tolist()
    assert paired.served.labels == paired.new.labels


def test_classes_that_exchanged_their_names_are_compared_under_those_of_now(world, tmp_path):
    now, older = tmp_path / "now", tmp_path / "older"
    names = (CLASSES[1], CLASSES[0], *CLASSES[2:])
    _write(world, now, range(150), names)
    _register(world, now, range(300, 400), range(150), names)
    _write(world, older, range(100, 200), CLASSES)
    _register(world, older, range(300, 360), range(100, 200), CLASSES)
    candidate = world.model("exchanged", 5, range(300, 1700), classes=names)
    answers = predict_split(ExportedModel(candidate.uri), str(now), "test")
    digests = [_sha256(row) for row in range(150)]
    baseline = Baseline(world.good.uri, str(older))
    paired = paired_answers(answers, digests, candidate.uri, str(now), baseline, AskedModels())
    assert [each.kind for each in paired.changes] == ["exchanged"]
    assert paired.new.names == [f"{row}.png" for row in range(200)]
    called = [names[world.target[row]] for row in range(200)]
    assert paired.old.labels == paired.new.labels == paired.served.labels == called
    both = world.target[:200] < 2
    for right in (paired.old.right, paired.new.right, paired.served.before, paired.served.after):
        assert right[both].mean() > 0.8
        assert right.mean() > 0.8


def test_a_model_of_new_classes_alone_is_stopped_for_what_it_forgot(world, tmp_path):
    # The fives to nines of a new span, under names that the last blessed model does not know.
    names = (*CLASSES[:5], *(f"new {number}" for number in range(5, 10)))
    older, now = tmp_path / "older", tmp_path / "now"
    few, rest = (
        [row for row in range(150, 300) if (world.target[row] < 5) == is_few]
        for is_few in (True, False)
    )
    _write(world, older, few, CLASSES)
    _register(world, older, (), few, CLASSES)
    _write(world, now, rest, names)
    _register(world, now, (), rest, names)
    answers_new = (*(f"unused {number}" for number in range(5)), *names[5:])
    candidate = world.model("forgetful", 6, range(300, 1700), classes=answers_new)
    digests = [_sha256(row) for row in rest]
    answers = predict_split(ExportedModel(candidate.uri), str(now), "test")
    baseline = Baseline(world.good.uri, str(older))
    paired = paired_answers(answers, digests, candidate.uri, str(now), baseline, AskedModels())
    assert not paired.new.names  # there is no class that both know
    served = images_to_remember(paired, frozenset(names))
    assert len(served.labels) == len(few)
    found = find_forgetting(served, paired.new_classes)
    check = check_forgetting(served, found, 0.05)
    assert found is not None
    assert found.before > 0.9
    assert (found.after, check.passed) == (0.0, False)
    assert found.lost == CLASSES[:5]


def test_an_evaluation_of_another_model_is_noticed(world, weak_evaluation, tmp_path):
    _, verdict = _judge(world, tmp_path, world.good, weak_evaluation)
    assert not verdict["blessed"]
    assert "do not compute the same" in verdict["reason"]


def test_no_test_image_is_bad_data(world, evaluation, tmp_path):
    empty = standard_artifacts.Examples()
    empty.uri = str(tmp_path / "nothing")
    inputs = {
        "examples": [empty],
        "model": [world.good],
        "evaluation": [evaluation],
    }
    _, blessing = outputs(tmp_path)
    with pytest.raises(BadDataError, match="no images"):
        Executor().Do(inputs, {"blessing": [blessing]}, {"settings": SETTINGS.to_json()})


def test_a_model_without_class_names_is_refused(world, evaluation, tmp_path):
    model = standard_artifacts.Model()
    model.uri, model.id = str(tmp_path / "model"), 9
    with pytest.raises(GraftError, match="does not name its classes"):
        _judge(world, tmp_path, model, evaluation)


def test_a_diverged_model_fails_in_words(world, evaluation, tmp_path):
    model = world.model("diverged", 4, range(300, 360), scale=np.nan)
    with pytest.raises(GraftError, match=r"150 of 150 images.*training diverged"):
        _judge(world, tmp_path, model, evaluation)


def test_the_component_takes_and_gives_what_it_says():
    from tfx.types import channel_utils

    def channel(artifact):
        return channel_utils.as_channel([artifact()])

    judge = Judge(
        examples=channel(standard_artifacts.Examples),
        model=channel(standard_artifacts.Model),
        evaluation=channel(standard_artifacts.ModelEvaluation),
        schema=channel(standard_artifacts.Schema),
        settings="{}",
        code="0",
    )
    assert judge.outputs["blessing"].type is standard_artifacts.ModelBlessing
