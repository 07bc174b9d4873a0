import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from models import metrics
from models.intervals import share_interval
from models.number_text import short_number

CLASSES = ("ant", "bee", "cat", "dog")


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.integers(0, 4, 400)
    scores = random.normal(size=(400, 4)) + 1.5 * np.eye(4)[truth]
    return truth, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def test_figures_equal_those_of_scikit_learn(answers):
    truth, probabilities = answers
    quality = metrics.quality(truth, probabilities, CLASSES, 2)
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, images = reference.precision_recall_fscore_support(truth, predicted)
    assert quality.accuracy == pytest.approx(reference.accuracy_score(truth, predicted))
    assert quality.top_k_accuracy == pytest.approx(
        reference.top_k_accuracy_score(truth, probabilities, k=2)
    )
    assert quality.loss == pytest.approx(reference.log_loss(truth, probabilities))
    assert quality.macro_auc == pytest.approx(
        reference.roc_auc_score(truth, probabilities, multi_class="ovr")
    )
    assert [each.precision for each in quality.classes] == pytest.approx(precision)
    assert [each.recall for each in quality.classes] == pytest.approx(recall)
    assert [each.f1 for each in quality.classes] == pytest.approx(f1)
    assert [each.images for each in quality.classes] == images.tolist()


def test_confusion_matrix_equals_that_of_scikit_learn(answers):
    truth, probabilities = answers
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion_matrix(truth, predicted, 4)
    np.testing.assert_array_equal(matrix, reference.confusion_matrix(truth, predicted))


def test_area_under_curve_counts_ties_half():
    truth = np.array([1, 0, 1, 0, 0])
    scores = np.array([0.5, 0.5, 0.9, 0.5, 0.1])
    expected = reference.roc_auc_score(truth, scores)
    quality = metrics.quality(truth, np.stack([1 - scores, scores], axis=1), ("no", "yes"), 1)
    assert quality.classes[1].auc == pytest.approx(expected)


def test_area_under_curve_needs_both_sides():
    quality = metrics.quality(np.array([1, 1]), np.array([[0.9, 0.1], [0.1, 0.9]]), ("a", "b"), 1)
    assert [each.auc for each in quality.classes] == [None, None]


def test_a_class_that_the_model_lacks_is_always_wrong():
    truth = metrics.class_indices(["ant", "emu"], CLASSES)
    probabilities = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]])
    assert truth.tolist() == [0, -1]
    quality = metrics.quality(truth, probabilities, CLASSES, 4)
    assert (quality.accuracy, quality.top_k_accuracy) == (0.5, 0.5)
    assert quality.loss > 7
    assert metrics.confusion_matrix(truth, probabilities.argmax(axis=1), 4).sum() == 1


def test_a_probability_of_nothing_costs_as_much_as_one_of_a_ten_millionth():
    certain = np.array([[1.0, 0.0], [1.0, 0.0], [1.0 - 1e-6, 1e-6]])
    assert metrics.log_loss(np.array([1, -1]), certain[:2]) == pytest.approx(-np.log(1e-7))
    assert metrics.log_loss(np.array([0, 1, 1]), certain) == pytest.approx(-np.log(1e-13) / 3)


def test_a_class_that_is_always_mistaken_has_figures_of_nothing():
    quality = metrics.quality(np.array([0, 1]), np.array([[0.2, 0.8], [0.9, 0.1]]), ("a", "b"), 1)
    for each in quality.classes:
        assert (each.images, each.predicted) == (1, 1)
        assert (each.precision, each.recall, each.f1, each.auc) == (0.0, 0.0, 0.0, 0.0)
        assert each.precision_interval == each.recall_interval == share_interval(0, 1)


def test_ties_between_sides_count_half_in_an_area_and_its_interval() -> None:
    truth = np.array([1, 1, 1, 0, 0, 0, 0])
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.2, 0.1])
    area = metrics.quality(truth, np.stack([1 - scores, scores], axis=1), ("a", "b"), 1).classes[1]
    # Of 12 pairs 8 are in order and 4 are ties.
    assert area.auc == pytest.approx(10 / 12)
    wins = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]])
    variance = wins.mean(axis=1).var() / 3 + wins.mean(axis=0).var() / 4
    low, high = stats.norm.interval(0.95, 10 / 12, variance**0.5)
    assert area.auc_interval == pytest.approx((low, min(high, 1.0)))


def test_the_interval_of_an_area_is_that_of_delong(answers):
    truth, probabilities = answers
    area = metrics.quality(truth, probabilities, CLASSES, 2).classes[1]
    positive = probabilities[truth == 1, 1]
    negative = probabilities[truth != 1, 1]
    wins = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    variance = wins.mean(axis=1).var() / len(positive) + wins.mean(axis=0).var() / len(negative)
    expected = stats.norm.interval(0.95, wins.mean(), variance**0.5)
    assert area.auc == pytest.approx(wins.mean())
    assert area.auc_interval == pytest.approx(expected)


def test_a_class_without_images_or_answers_has_no_figures():
    probabilities = np.array([[0.8, 0.1, 0.1, 0.0], [0.2, 0.7, 0.1, 0.0]])
    quality = metrics.quality(np.array([0, 1]), probabilities, CLASSES, 2)
    cat = quality.classes[2]
    assert (cat.images, cat.precision, cat.recall, cat.f1, cat.auc) == (0, None, None, None, None)


def test_top_k_larger_than_the_number_of_classes_is_one(answers):
    truth, probabilities = answers
    assert metrics.is_among_best(truth, probabilities, 9).all()


def test_calibration_error_of_honest_and_boastful_answers():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 20_000)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    honest = (random.uniform(size=20_000) >= confidence).astype(int)
    boastful = (random.uniform(size=20_000) >= confidence - 0.3).astype(int)

    def error(truth):
        return metrics.calibration_error(metrics.calibration_bins(truth, probabilities))

    assert error(honest) < 0.02
    assert error(boastful) == pytest.approx(0.3, abs=0.03)


def test_calibration_is_measured_in_fifteen_equal_bins():
    confidence = (np.arange(30) + 0.5) / 30  # two images in the middle of the halves of each bin
    probabilities = np.stack([confidence, np.zeros(30)], axis=1)
    bins = metrics.calibration_bins(np.arange(30) % 2, probabilities)
    assert [each.low for each in bins] == pytest.approx(np.arange(15) / 15)
    assert [each.high for each in bins] == pytest.approx(np.arange(1, 16) / 15)
    assert {each.images for each in bins} == {2}
    assert {each.accuracy for each in bins} == {0.5}
    assert [each.confidence for each in bins] == pytest.approx((np.arange(15) + 0.5) / 15)
    error = np.abs((np.arange(15) + 0.5) / 15 - 0.5).mean()
    assert metrics.calibration_error(bins) == pytest.approx(error)
    quality = metrics.quality(np.arange(30) % 2, probabilities, ("a", "b"), 1)
    assert quality.calibration_error == pytest.approx(error)


def test_calibration_bins_hold_all_images_and_certainty_too():
    bins = metrics.calibration_bins(np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert sum(each.images for each in bins) == 2
    assert bins[-1].high == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("newly_wrong", "newly_right", "chance"),
    [(0, 0, 1.0), (5, 0, 1 / 32), (3, 3, 42 / 64), (0, 4, 1.0)],
)
def test_paired_drop_is_the_exact_one_sided_mcnemar_test(newly_wrong, newly_right, chance):
    same = 10
    old = np.array([True] * newly_wrong + [False] * newly_right + [True] * same)
    new = np.array([False] * newly_wrong + [True] * newly_right + [True] * same)
    paired = metrics.paired_drop(old, new)
    assert (paired.newly_wrong, paired.newly_right) == (newly_wrong, newly_right)
    assert paired.drop == pytest.approx(float(old.mean() - new.mean()))
    assert paired.chance == pytest.approx(chance)


def test_paired_drop_of_many_images_stays_finite():
    random = np.random.default_rng(0)
    old, new = random.uniform(size=(2, 8000)) < 0.7
    assert 0 < metrics.paired_drop(old, new).chance < 1


def test_no_image_is_refused():
    with pytest.raises(ValueError, match="0 labels"):
        metrics.quality(np.zeros(0, int), np.zeros((0, 4)), CLASSES, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.02461, "0.0246"), (0, "0"), (48.61, "48.6"), (1024, "1,024"), (123456.7, "123,457")],
)
def test_short_numbers_have_no_exponent(value, text):
    assert short_number(value) == text
