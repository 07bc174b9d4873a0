"""LogME against its definition, and what must and must not change it."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, ortho_group
from sklearn.datasets import load_digits

from models.backbone_choice.transferability import log_maximum_evidence


def task(images: int, dimension: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Normal features, and noisy labels that the first of them decides."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(images, dimension))
    return features, (features[:, 0] + 0.5 * random.normal(size=images) > 0).astype(int)


def searched_evidence(features: np.ndarray, membership: np.ndarray) -> float:
    """Maximal log evidence of an image by search over α and β, from the marginal density of y.

    With the weights integrated out, y ~ N(0, 1/β + FFᵀ/α).
    """
    count = len(features)
    gram = features @ features.T

    def negative(logarithms: np.ndarray) -> float:
        alpha, beta = np.exp(np.clip(logarithms, -30, 30))
        covariance = np.eye(count) / beta + gram / alpha
        return -float(multivariate_normal(np.zeros(count), covariance).logpdf(membership)) / count

    starts = [(0, 0), (3, 1), (-3, 3), (6, 1), (-6, 4)]
    options = {"xatol": 1e-6, "fatol": 1e-10, "maxiter": 3000}
    found = [minimize(negative, x, method="Nelder-Mead", options=options).fun for x in starts]
    return -min(found)


@pytest.mark.parametrize(("images", "dimension"), [(40, 6), (12, 30), (25, 25)])
@pytest.mark.parametrize("shuffled", [False, True])
def test_it_is_the_maximum_of_the_evidence(images: int, dimension: int, shuffled: bool) -> None:
    features, labels = task(images, dimension)
    if shuffled:
        labels = np.random.default_rng(1).permutation(labels)
    expected = np.mean([searched_evidence(features, labels == each) for each in (0, 1)])
    assert log_maximum_evidence(features, labels) == pytest.approx(expected, abs=1e-6)


def test_better_features_score_higher_than_worse_and_than_permuted_labels() -> None:
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:500], labels[:500]
    random = np.random.default_rng(0)
    noisy = [images + scale * random.normal(size=images.shape) for scale in (0.0, 4.0, 16.0)]
    scores = [log_maximum_evidence(each, labels) for each in noisy]
    assert scores[0] > scores[1] + 0.05
    assert scores[1] > scores[2] + 0.05
    assert scores[2] > log_maximum_evidence(images, random.permutation(labels)) + 0.01


@pytest.mark.parametrize(("images", "dimension"), [(60, 8), (20, 50)])
def test_a_rotation_and_a_common_factor_change_nothing(images: int, dimension: int) -> None:
    features, labels = task(images, dimension)
    score = log_maximum_evidence(features, labels)
    rotation = ortho_group.rvs(dimension, random_state=0)
    assert log_maximum_evidence(features @ rotation, labels) == pytest.approx(score, abs=1e-9)
    assert log_maximum_evidence(1000 * features, labels) == pytest.approx(score, abs=1e-6)


def test_nothing_is_standardised_silently() -> None:
    features, labels = task(60, 8)
    stretched = features * np.array([1e-3, *[1.0] * 7])
    assert log_maximum_evidence(stretched, labels) < log_maximum_evidence(features, labels) - 0.01


def test_a_feature_more_that_says_nothing_does_not_help() -> None:
    features, labels = task(60, 4)
    noise = np.random.default_rng(5).normal(size=(60, 40))
    more = np.concatenate([features, noise], axis=1)
    assert log_maximum_evidence(more, labels) < log_maximum_evidence(features, labels)


@pytest.mark.parametrize("factor", [0.0, 1.0])
def test_degenerate_features_have_a_finite_score(factor: float) -> None:
    labels = np.array(["a", "b"] * 10)
    same = np.full((20, 4), factor)
    perfect = np.stack([labels == "a", labels == "b"], axis=1).astype(np.float32)
    assert np.isfinite(log_maximum_evidence(same, labels))
    assert log_maximum_evidence(perfect, labels) > log_maximum_evidence(same, labels) + 1
    assert np.isfinite(log_maximum_evidence(perfect, labels))


def test_what_cannot_be_scored_is_refused() -> None:
    features, labels = task(20, 3)
    with pytest.raises(ValueError, match="do not fit"):
        log_maximum_evidence(features, labels[:5])
    with pytest.raises(ValueError, match="two classes"):
        log_maximum_evidence(features, np.zeros(20))
    with pytest.raises(ValueError, match="not finite"):
        log_maximum_evidence(np.where(features > 0, np.nan, features), labels)
