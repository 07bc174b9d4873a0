import numpy as np
import pytest

from models.head.evidence import Answers, Comparison, answers_of, compare, in_figures, log_loss

CLASSES = np.arange(60) % 3


def logits(right: int, sure: float) -> np.ndarray:
    """Of 60 images, the first `right` answered rightly, each with so much more for its answer."""
    answered = np.where(np.arange(60) < right, CLASSES, (CLASSES + 1) % 3)
    return sure * np.eye(3)[answered]


def test_being_too_sure_is_no_fault_of_the_answers():
    timid, sure = answers_of(logits(54, 0.5), CLASSES), answers_of(logits(54, 10.0), CLASSES)
    assert log_loss(logits(54, 10.0), CLASSES) > 2 * log_loss(logits(54, 2.0), CLASSES)
    np.testing.assert_allclose(timid.losses, sure.losses, atol=1e-3)
    assert timid.accuracy == sure.accuracy == 0.9
    assert timid.expected_accuracy == pytest.approx(sure.expected_accuracy, abs=1e-4)


def test_losses_are_those_of_the_best_temperature():
    raw = np.random.default_rng(0).normal(size=(60, 3)) + 2.0 * np.eye(3)[CLASSES]
    losses = answers_of(raw, CLASSES).losses.mean()
    for temperature in np.geomspace(0.1, 10, 50):
        assert losses <= log_loss(raw / temperature, CLASSES) + 1e-6


def test_one_image_more_does_not_outweigh_all_losses():
    """54 of 60 right, and unsure of all; 53 right, sure of those and unsure of the others."""
    generator = np.random.default_rng(1)
    blurred = logits(54, 1.0) + generator.normal(0.0, 0.3, (60, 3))
    clear = logits(53, 6.0)
    clear[53:] /= 12.0
    better = compare(answers_of(clear, CLASSES), answers_of(blurred, CLASSES))
    assert better.gain > 0.0
    assert better.confidence > 0.5


def test_the_log_loss_is_told_only_where_it_decides_otherwise():
    told = in_figures(answers_of(logits(54, 6.0), CLASSES), answers_of(logits(48, 6.0), CLASSES))
    assert told == "90.0% of validation images against 80.0%"


def test_with_many_images_the_right_answers_decide():
    """2 of 100 more are right, at a loss that says the contrary."""
    images = 20_000
    classes = np.zeros(images, int)
    right = np.arange(images) % 100
    one = np.stack([np.where(right < 92, 0.1, -0.1), np.zeros(images)], axis=1)
    other = np.stack([np.where(right < 90, 3.0, -0.1), np.zeros(images)], axis=1)
    comparison = compare(answers_of(one, classes), answers_of(other, classes))
    assert comparison.gain > 0.0
    few = slice(0, 100)
    few_images = compare(answers_of(one[few], classes[few]), answers_of(other[few], classes[few]))
    assert few_images.gain < 0.0
    told = in_figures(answers_of(one[few], classes[few]), answers_of(other[few], classes[few]))
    assert told.startswith("92.0% of validation images against 90.0%, but with a log loss of 0.")


def test_a_comparison_is_the_same_from_both_sides():
    one, other = answers_of(logits(54, 2.0), CLASSES), answers_of(logits(50, 1.0), CLASSES)
    there, back = compare(one, other), compare(other, one)
    assert there.gain == pytest.approx(-back.gain)
    assert there.error == pytest.approx(back.error)
    assert there.confidence + back.confidence == pytest.approx(1.0)
    assert "points of accuracy (" in str(there)
    assert "(over 99% sure)" in str(compare(answers_of(logits(60, 2.0), CLASSES), other))
    assert str(there) == str(back)


def test_equal_answers_say_nothing():
    one = answers_of(logits(60, 2.0), CLASSES)
    comparison = compare(one, one)
    assert comparison.gain == 0.0
    assert comparison.confidence == 0.5


def drawn(images: int, seed: int) -> Answers:
    random = np.random.default_rng(seed)
    return Answers(random.random(images) < 0.8, random.exponential(0.4, images))


@pytest.mark.parametrize("images", [20, 60, 2_000])
def test_the_accuracy_to_expect_lies_between_what_both_witnesses_say(images):
    answers = drawn(images, 0)
    variance = 0.05 / images
    weight = variance / (variance + 0.007**2)
    foretold = 1.0 - answers.losses.mean() / 3
    between = weight * foretold + (1.0 - weight) * answers.accuracy
    assert answers.expected_accuracy == pytest.approx(between, abs=1e-12)
    whole = Answers(np.ones(images, bool), np.zeros(images))
    assert whole.expected_accuracy == 1.0


@pytest.mark.parametrize("images", [20, 60, 2_000])
def test_a_gain_is_as_sure_as_both_witnesses_make_it(images):
    one, other = drawn(images, 1), drawn(images, 2)
    ahead = one.right.astype(float) - other.right
    better = other.losses - one.losses
    variance = (abs(ahead).sum() + 1) / images**2
    weight = variance / (variance + 0.007**2)
    mixed = (1.0 - weight) * ahead + weight / 3 * better
    comparison = compare(one, other)
    assert comparison.gain == pytest.approx(mixed.mean(), abs=1e-12)
    parts = mixed.std() / images**0.5, (1.0 - weight) ** 0.5 / images, weight * 0.007
    assert comparison.error == pytest.approx(np.linalg.norm(parts), abs=1e-12)


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (0.01, "1.0 points of accuracy (84% sure)"),
        (-0.02, "2.0 points of accuracy (98% sure)"),
        (0.03, "3.0 points of accuracy (over 99% sure)"),
    ],
)
def test_a_comparison_in_words(gain, words):
    assert str(Comparison(gain, 0.01)) == f"by an expected {words}"
