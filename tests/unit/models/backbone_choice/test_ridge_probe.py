"""The quick probe against the same fits made one by one."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from models.backbone_choice.ridge_probe import ProbeScore, quick_probe


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return images[:count], labels[:count]


def answers_one_by_one(
    features: np.ndarray, labels: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    """Refits ridge regression without each image in turn: which are right, and squared error."""
    targets = np.eye(labels.max() + 1)[labels]
    right, error = [], 0.0
    for image in range(len(labels)):
        others = np.arange(len(labels)) != image
        # The penalty is that of the whole sample's mean-centred fit.
        model = Ridge(alpha=penalty).fit(features[others], targets[others])
        answer = model.predict(features[[image]])[0]
        right.append(answer.argmax() == labels[image])
        error += float(((targets[image] - answer) ** 2).sum())
    return np.array(right), error


@pytest.mark.parametrize("dimension", [8, 64])
def test_it_answers_as_fits_without_each_image_do(dimension: int) -> None:
    images, labels = digits(50)
    features = images[:, 24 : 24 + dimension] if dimension == 8 else images
    centred = features - features.mean(axis=0)
    scale = (centred**2).sum() / len(features)
    tried = [
        answers_one_by_one(features, labels, scale * 10.0**power)
        for power in np.arange(-4.0, 2.5, 0.5)
    ]
    right, _ = min(tried, key=lambda each: each[1])
    np.testing.assert_array_equal(quick_probe(features, labels).right, right)


def test_it_tells_good_features_from_noise() -> None:
    images, labels = digits(400)
    noise = np.random.default_rng(0).normal(size=images.shape)
    assert quick_probe(images, labels).accuracy > 0.9
    assert quick_probe(noise, labels).accuracy < 0.25
    shuffled = np.random.default_rng(1).permutation(labels)
    assert quick_probe(images, shuffled).accuracy < 0.25


def test_memorising_does_not_help() -> None:
    """With more features than images a fit answers its own images rightly, noise or not."""
    labels = np.arange(60) % 2
    features = np.random.default_rng(3).normal(size=(60, 300))
    assert quick_probe(features, labels).accuracy < 0.75


def test_features_that_are_all_the_same_answer_the_largest_class() -> None:
    labels = np.array([0] * 14 + [1] * 6)
    assert quick_probe(np.ones((20, 5)), labels).accuracy == pytest.approx(0.7)


def test_an_image_alone_in_its_class_is_answered_wrongly() -> None:
    images, labels = digits(100)
    labels = labels.copy()
    labels[0] = 99
    assert not quick_probe(images, labels).right[0]


def test_the_standard_error_is_that_of_a_share() -> None:
    score = ProbeScore(np.array([True] * 80 + [False] * 20))
    assert score.accuracy == 0.8
    assert score.standard_error == pytest.approx(0.04)
