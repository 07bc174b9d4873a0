import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.head import linear_head, softmax_problem
from models.head.frozen_head import fit_frozen_head
from models.head.frozen_probe import train_probe
from models.head.head_model import divide_logits
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.linear_head import Near, fit_linear

CENTRES = np.random.default_rng(0).normal(size=(3, 20))


def draw(images: int, seed: int, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 3, images)
    features = CENTRES[classes] + generator.normal(0.0, spread, (images, 20))
    return features.astype(np.float32), classes


def test_it_is_the_optimum_that_scikit_learn_finds():
    train, validation = draw(300, 1), draw(200, 2)
    weights = np.array([1.0, 2.0, 0.5], np.float32)
    head = fit_linear(*train, *validation, weights)
    # Its penalty stands beside the sum of the losses, on features as they are.
    strength = 1.0 / (head.strength * 20 * len(train[0]))
    theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000)
    theirs.fit(*train, sample_weight=weights[train[1]])
    ours = validation[0] @ head.kernel + head.bias
    expected = theirs.decision_function(validation[0])
    np.testing.assert_allclose(
        ours - ours.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        atol=0.05,
    )


def test_few_images_of_many_features_come_to_the_same_head(monkeypatch):
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 3, 90)
    features = (classes[:, None] + generator.normal(0.0, 6.0, (90, 200))).astype(np.float32)
    parts = features[:40], classes[:40], features[40:], classes[40:], np.ones(3, np.float32)
    head = fit_linear(*parts)
    monkeypatch.setattr(softmax_problem, "_row_space", lambda _: None)
    plain = fit_linear(*parts)
    assert head.strength == plain.strength
    assert np.abs(plain.kernel).max() > 0.01
    np.testing.assert_allclose(head.kernel, plain.kernel, atol=1e-3)
    np.testing.assert_allclose(head.bias, plain.bias, atol=1e-3)


def test_the_penalty_follows_the_data():
    noisy = fit_linear(*draw(60, 1, 6.0), *draw(500, 2, 6.0), np.ones(3, np.float32))
    clear = fit_linear(*draw(3000, 1, 1.0), *draw(500, 2, 1.0), np.ones(3, np.float32))
    assert noisy.strength > clear.strength


def test_a_class_without_training_images_is_never_the_answer():
    features, classes = draw(300, 1)
    known = classes < 2
    head = fit_linear(features[known], classes[known], *draw(200, 2), np.ones(3, np.float32))
    answers = (features @ head.kernel + head.bias).argmax(axis=1)
    assert set(answers.tolist()) == {0, 1}


def test_the_model_answers_as_the_head_was_judged():
    train, validation = draw(300, 1), draw(200, 2)
    task = HeadTask(LabelledEmbeddings(*train), LabelledEmbeddings(*validation), 3)
    head, again = fit_frozen_head(task), fit_frozen_head(task)
    logits = head.model.predict(validation[0], verbose=0)
    np.testing.assert_array_equal(logits, again.model.predict(validation[0], verbose=0))
    assert np.mean(logits.argmax(axis=1) == validation[1]) == head.answers.accuracy
    assert head.answers.accuracy == pytest.approx(0.8, abs=0.15)
    assert head.validation_loss < np.log(3)


def test_the_probe_is_the_head_as_it_was_fitted_whatever_became_of_its_model():
    train, validation, test = draw(300, 1), draw(200, 2), LabelledEmbeddings(*draw(100, 3))
    task = HeadTask(LabelledEmbeddings(*train), LabelledEmbeddings(*validation), 3)
    head = fit_frozen_head(task)
    logits = head.model.predict(test.embeddings, verbose=0)
    divide_logits(head.model, 5.0)
    probe, own = train_probe(task, "none", test, head), train_probe(task, "none", test)
    expected = keras.ops.softmax(logits)
    np.testing.assert_allclose(probe.test_probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(probe.test_probabilities, own.test_probabilities)
    assert probe.test_accuracy == own.test_accuracy
    assert own.test_accuracy is not None
    assert own.test_accuracy > 0.6
    assert train_probe(task, "none", test.rows(np.arange(0)), head).test_accuracy is None


def rough(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that vary a thousand times more along some axes than along others."""
    features, classes = draw(images, seed, 4.0)
    generator = np.random.default_rng(9)
    turned = np.linalg.qr(generator.normal(size=(20, 20)))[0] * 0.7 ** np.arange(20)
    return (20.0 * features @ turned).astype(np.float32), classes


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The strength of each look at the loss."""
    loss, strengths = softmax_problem.SoftmaxProblem._loss, []

    def counted(problem, parameters, strength, each):
        strengths.append(strength)
        return loss(problem, parameters, strength, each)

    monkeypatch.setattr(softmax_problem.SoftmaxProblem, "_loss", counted)
    return strengths


def test_beside_earlier_heads_the_same_one_is_found_sooner(looked):
    train, validation = rough(2000, 1), rough(400, 2)
    weights = np.ones(3, np.float32)
    before = fit_linear(train[0][:1980], train[1][:1980], *validation, weights)
    looked.clear()
    alone = fit_linear(*train, *validation, weights)
    from_the_top = len(looked)
    looked.clear()
    found = fit_linear(*train, *validation, weights, near=Near(before.solutions, before.strength))
    assert len(looked) < from_the_top / 3
    assert found.strength == alone.strength
    assert found.solutions.keys() == alone.solutions.keys()
    largest = np.abs(alone.kernel).max()
    np.testing.assert_allclose(found.kernel, alone.kernel, atol=0.005 * largest)
    assert found.train_loss == pytest.approx(alone.train_loss, abs=1e-5)
    assert found.validation_loss == pytest.approx(alone.validation_loss, abs=1e-5)


class _Parabola(softmax_problem.SoftmaxProblem):
    """In the place of a problem: its solutions lie on a parabola."""

    origin = np.zeros(1)

    def __init__(self) -> None:
        self.starts: list[float] = []

    def solve(self, strength, start):
        self.starts.append(float(start[0]))
        return np.array([strength**2 + 7.0])


def test_each_penalty_begins_where_those_before_point_to():
    problem, strengths = _Parabola(), (5.0, 4.0, 3.0, 2.0, 1.0)
    path = linear_head._Path(problem, lambda solution: solution[0], strengths, {})
    path.follow(0, 1, 2)
    assert problem.starts == [0.0, 32.0, 2 * 23.0 - 32.0, 11.0, 8.0]
    assert path.best == 4


def test_beside_earlier_ones_each_begins_as_far_from_the_one_before():
    problem, strengths = _Parabola(), (5.0, 4.0, 3.0, 2.0)
    earlier = {1: np.array([20.0]), 2: np.array([10.0])}
    path = linear_head._Path(problem, lambda solution: -solution[0], strengths, earlier)
    path.follow(1, 1, 1)
    path.follow(0, -1, 1)
    assert problem.starts == [20.0, 23.0 - 10.0, 2 * 23.0 - 16.0]
    assert path.best == 0


@pytest.mark.parametrize("place", [0, len(linear_head.STRENGTHS) - 1])
def test_an_earlier_strength_that_is_wrong_is_left(place):
    train, validation = draw(400, 1, 4.0), draw(400, 2, 4.0)
    weights = np.ones(3, np.float32)
    alone = fit_linear(*train, *validation, weights)
    wrong = linear_head.STRENGTHS[place]
    near = Near({wrong: (alone.kernel, alone.bias)}, wrong)
    assert fit_linear(*train, *validation, weights, near=near).strength == alone.strength
