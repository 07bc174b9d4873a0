import numpy as np
import pytest
from scipy.special import softmax

from models.errors import BadDataError
from models.head.further_head import ColumnLabels, fit_further_head

CENTRES = {"silk": 0.0, "wool": 1.0}


def column(images: int, seed: int, share: float = 0.6) -> ColumnLabels:
    """Features of two classes that overlap, of which so many images have their label."""
    random = np.random.default_rng(seed)
    labels = random.choice(list(CENTRES), images)
    features = random.normal([[CENTRES[label]] for label in labels], 0.7, (images, 8))
    told = np.where(random.random(images) < share, labels, "")
    return ColumnLabels(features.astype(np.float32), told.tolist())


def accuracy(model, asked: ColumnLabels) -> float:
    logits = model.predict(asked.embeddings, verbose=0)
    known = np.array(asked.labels) != ""
    answers = np.array(list(CENTRES))[logits.argmax(axis=1)]
    return float((answers == np.array(asked.labels))[known].mean())


def test_it_learns_from_the_images_that_have_a_label() -> None:
    train, validation = column(200, 1), column(100, 2)
    head = fit_further_head("material", train, validation)
    assert head.labels == ("silk", "wool")
    assert head.training_images == sum(map(bool, train.labels))
    assert head.validation_images == sum(map(bool, validation.labels))
    assert head.refitted_images == 0
    assert accuracy(head.model, column(500, 3, 1.0)) > 0.9
    assert head.validation_accuracy == pytest.approx(accuracy(head.model, validation))


def test_images_without_a_label_change_nothing() -> None:
    train, validation = column(200, 1), column(100, 2)
    rows = np.array(train.labels) != ""
    labelled = ColumnLabels(train.embeddings[rows], [each for each in train.labels if each])
    whole, part = (fit_further_head("m", each, validation) for each in (train, labelled))
    np.testing.assert_array_equal(whole.model.get_weights()[0], part.model.get_weights()[0])


def test_its_sureness_is_calibrated() -> None:
    train, validation = column(30, 1, 1.0), column(400, 2, 1.0)
    head = fit_further_head("material", train, validation)
    logits = head.model.predict(validation.embeddings, verbose=0)
    own = softmax(logits, axis=1)[
        np.arange(400), [list(CENTRES).index(label) for label in validation.labels]
    ]
    assert -np.log(own).mean() == pytest.approx(head.calibration.loss_after, abs=1e-4)
    assert head.calibration.loss_after <= head.calibration.loss_before


def test_few_images_of_validation_are_learned_from_in_the_end() -> None:
    train, validation = column(60, 1), column(60, 2)
    images = sum(map(bool, train.labels + validation.labels))
    plain = fit_further_head("m", train, validation, refit_images=images - 1)
    again = fit_further_head("m", train, validation, refit_images=images)
    assert (plain.refitted_images, again.refitted_images) == (0, images)
    assert again.validation_accuracy == plain.validation_accuracy
    assert again.calibration == plain.calibration
    asked = column(50, 4).embeddings
    differences = plain.model.predict(asked, verbose=0) - again.model.predict(asked, verbose=0)
    assert np.abs(differences).max() > 0.01


def test_without_a_label_to_validate_on_there_is_no_head() -> None:
    with pytest.raises(BadDataError, match="no validation image"):
        fit_further_head("m", column(60, 1), column(60, 2, 0.0))
