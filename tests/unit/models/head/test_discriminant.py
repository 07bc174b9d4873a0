import tracemalloc

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from models.head import discriminant
from models.head.discriminant import Choice, Form


def draw(images: int, seed: int, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Four classes of 30 features, of which the images of a class differ most in the first."""
    centres = np.random.default_rng(0).normal(size=(4, 30)) * apart
    generator = np.random.default_rng(seed)
    classes = np.arange(images) % 4
    noise = generator.normal(size=(images, 30)) * np.where(np.arange(30) < 3, 6.0, 0.7)
    return (centres[classes] + noise).astype(np.float32), classes


def logits(choice: Choice, features: np.ndarray, classes: np.ndarray, asked: np.ndarray):
    kernel, bias = discriminant.fit(features, classes, 4, choice)
    rows = discriminant.unit_rows(asked) if choice.form.unit_length else asked
    return rows @ kernel + bias


def test_it_is_the_discriminant_of_scikit_learn():
    features, classes = draw(200, 1)
    ours = logits(Choice(Form(0.3, False), 1.0, None), features, classes, features)
    rests = features - np.stack([features[classes == each].mean(0) for each in range(4)])[classes]
    covariance = np.cov(rests.T, bias=True)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3, priors=[0.25] * 4)
    theirs.fit(features, classes)
    expected = theirs.decision_function(features)
    assert np.trace(covariance) > 0
    assert (ours.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.99


def test_shrunk_wholly_it_is_the_nearest_mean():
    features, classes = draw(40, 1)
    means = np.stack([features[classes == each].mean(axis=0) for each in range(4)])
    nearest = ((features[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    ours = logits(Choice(Form(1.0, False), 1.0, None), features, classes, features)
    np.testing.assert_array_equal(ours.argmax(axis=1), nearest)


def test_what_images_of_a_class_differ_in_counts_less():
    features, classes = draw(80, 1)
    asked, truth = draw(400, 2)
    choice = discriminant.choose(features, classes, 4)
    assert choice.form.shrinkage < 1.0
    chosen = (logits(choice, features, classes, asked).argmax(axis=1) == truth).mean()
    plain = logits(Choice(Form(1.0, False), 1.0, None), features, classes, asked)
    assert chosen > (plain.argmax(axis=1) == truth).mean() + 0.05


def test_its_answers_and_its_confidence_hold_for_other_images():
    features, classes = draw(80, 1, apart=0.4)
    asked, truth = draw(800, 2, apart=0.4)
    choice = discriminant.choose(features, classes, 4)
    assert choice.answers is not None
    found = logits(choice, features, classes, asked)
    right = found.argmax(axis=1) == truth
    assert choice.answers.accuracy == pytest.approx(right.mean(), abs=0.12)
    odds = np.exp(found - found.max(axis=1, keepdims=True))
    sure = (odds / odds.sum(axis=1, keepdims=True)).max(axis=1)
    assert sure.mean() == pytest.approx(right.mean(), abs=0.1)


def test_one_image_a_class_is_enough():
    features, classes = draw(4, 1)
    choice = discriminant.choose(features, classes, 4)
    assert choice.answers is None
    assert str(choice.form) == "cosine"
    found = logits(choice, features, classes, features)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found.argmax(axis=1), classes)


def test_a_class_without_images_is_never_answered():
    features, classes = draw(40, 1)
    known = classes != 2
    choice = discriminant.choose(features[known], classes[known], 4)
    found = logits(choice, features[known], classes[known], features)
    assert 2 not in found.argmax(axis=1)
    assert np.isfinite(found).all()


def test_images_that_are_all_alike_do_no_harm():
    features = np.ones((8, 30), np.float32)
    classes = np.arange(8) % 4
    choice = discriminant.choose(features, classes, 4)
    assert np.isfinite(logits(choice, features, classes, features)).all()


def test_of_very_many_images_some_tell_the_covariance(monkeypatch):
    (features, classes), (asked, truth) = draw(400, 1), draw(400, 2)
    sizes: list[int] = []
    whole = np.linalg.eigh

    def counted(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sizes.append(len(matrix))
        return whole(matrix)

    monkeypatch.setattr(np.linalg, "eigh", counted)
    right = []
    for most in (400, 100):
        monkeypatch.setattr(discriminant, "_MOST_RESTS", most)
        answers = logits(Choice(Form(0.5, False), 1.0, None), features, classes, asked)
        right.append((answers.argmax(axis=1) == truth).mean())
    assert sizes == [400, 100]
    assert right[0] > 0.5
    assert right[1] > right[0] - 0.05


def test_the_answers_of_a_few_forms_are_in_memory_at_a_time(monkeypatch):
    monkeypatch.setattr(discriminant, "_MOST_RESTS", 50)
    classes = np.arange(800) % 400
    features = np.random.default_rng(0).normal(size=(800, 10)).astype(np.float32)
    tracemalloc.start()
    discriminant.choose(features, classes, 400)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    answers_of_a_form = 8 * 800 * 400
    assert peak < 14 * answers_of_a_form
