"""What is exported learns from the validation images in the end, at 64 pixels to be quick."""

import operator
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_digits import answers_of, digit_paths, digits_task, pixels, tiny_backbone

from models import progress
from models.head.earlier_head import EarlierHead
from models.head.evidence import Comparison
from models.head.frozen_head import fit_frozen_head
from models.head.refit import refitted
from models.training import network_refit
from models.training.train import Trained, train
from models.training.training_task import TrainingTask


def test_in_the_end_it_learns_from_the_validation_images_which_judged_it_before(
    digits_folder, tmp_path
):
    settings: dict[str, Any] = {"strategy": "feature_extraction", "few_shot_images": 0}
    judged, trained = (
        train(digits_task(digits_folder, tmp_path, tiny_backbone(), refit_images=most, **settings))
        for most in (159, 160)
    )
    assert (judged.record.refitted_images, trained.record.refitted_images) == (0, 160)
    same: dict[str, Any] = {"phases": (), "refitted_images": 0, "settings": judged.record.settings}
    assert replace(trained.record, **same) == replace(judged.record, **same)
    assert judged.record.calibration is not None
    assert trained.start.head is not None
    embeddings = digits_task(digits_folder, tmp_path, tiny_backbone()).embeddings
    expected = refitted(fit_frozen_head(embeddings), embeddings).get_layer("logits").get_weights()
    exported = trained.model.get_layer("head").get_layer("logits").get_weights()
    for ours, theirs in zip(exported, expected, strict=True):
        np.testing.assert_allclose(ours * judged.record.calibration.temperature, theirs, rtol=1e-4)
    before = judged.model.get_layer("head").get_weights()
    for ours, theirs in zip(trained.start.head.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _fine_tuned(
    digits_folder: Path,
    folder: Path,
    *,
    change: Callable[[TrainingTask], TrainingTask] = lambda task: task,
    **settings: Any,
) -> Trained:
    task = digits_task(digits_folder, folder, tiny_backbone(), few_shot_images=0, **settings)
    trained = train(change(task))
    assert trained.record.exported == "fine_tuned"
    return trained


@pytest.fixture(scope="module")
def judged(digits_folder, tmp_path_factory) -> Trained:
    """Fine-tuned on the training images alone: all labelled images are one too many."""
    return _fine_tuned(digits_folder, tmp_path_factory.mktemp("judged"), refit_images=159)


def test_so_does_a_fine_tuned_network(judged, digits_folder, tmp_path):
    told: list[progress.Progress] = []
    with progress.listening(told.append):
        trained = _fine_tuned(digits_folder, tmp_path, refit_images=160)
    notes = [each.note for each in told if each.unit == "epochs"]
    assert notes[-5:] == [""] * 5, "it is no figure of images that were not seen"
    assert all(note.startswith("validation accuracy") for note in notes[:-5])
    assert (judged.record.refitted_images, trained.record.refitted_images) == (0, 160)
    told_of = operator.attrgetter("exported_reason", "validation_accuracy", "calibration")
    assert told_of(trained.record) == told_of(judged.record)
    again = trained.record.phases[-1]
    assert again.name == "fine_tune_all"
    assert len(again.epochs) == again.best_epoch + 1 == 5
    figures = trained.record.to_values()["history"]["val_accuracy"]
    assert figures[-len(again.epochs) :] == [None] * len(again.epochs), "it learned from these"
    held = pixels(digits_folder, "validation")
    truth = [int(path.parent.name) for path in digit_paths(digits_folder)["validation"]]
    before, after = (answers_of(each.model, held) for each in (judged, trained))
    rows = np.arange(len(truth))
    assert np.log(after[rows, truth]).mean() > np.log(before[rows, truth]).mean()
    assert trained.start.model is not None
    np.testing.assert_allclose(answers_of(trained.start.model, held), before, atol=1e-6)


def test_a_network_that_got_worse_by_it_is_dropped(judged, digits_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(network_refit, "compare", lambda *_: Comparison(np.nan, error=np.nan))
    assert_alike(_fine_tuned(digits_folder, tmp_path), judged)


def test_it_does_not_where_the_validation_images_are_to_judge_more(judged, digits_folder, tmp_path):
    validated_later = partial(replace, is_validated_later=True)
    assert_alike(_fine_tuned(digits_folder, tmp_path, change=validated_later), judged)


def assert_alike(trained: Trained, judged: Trained) -> None:
    assert (trained.record.refitted_images, trained.start.is_given) == (0, False)
    for ours, theirs in zip(trained.model.get_weights(), judged.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _beginning(task: TrainingTask) -> TrainingTask:
    """The task, from a head that knows nothing."""
    known = fit_frozen_head(task.embeddings).solution
    kernel, bias = np.zeros_like(known.linear.kernel), np.zeros_like(known.linear.bias)
    return replace(task, earlier=EarlierHead(known.mean, known.variance, kernel, bias))


def test_so_does_a_head_that_goes_on_from_an_earlier_one(digits_folder, tmp_path):
    settings = {"strategy": "feature_extraction", "few_shot_images": 0}
    task = digits_task(digits_folder, tmp_path, tiny_backbone(), **settings)
    trained = train(_beginning(task))
    assert (trained.record.refitted_images, trained.start.is_given) == (160, True)


def test_a_network_that_goes_on_from_an_earlier_one_does_not(digits_folder, tmp_path):
    trained = _fine_tuned(digits_folder, tmp_path, change=_beginning)
    assert (trained.record.refitted_images, trained.start.is_given) == (0, False)
