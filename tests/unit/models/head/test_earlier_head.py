from pathlib import Path

import keras
import numpy as np
import pytest

from models.errors import UsageError
from models.head.earlier_head import EarlierHead, head_of
from models.head.frozen_head import fit_frozen_head
from models.head.frozen_probe import read_probe_heads, train_probe, write_probe_heads
from models.head.head_model import standardised, statistics
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings

DIGITS = tuple("0123456789")


def part(data: LabelledEmbeddings, rows: np.ndarray) -> LabelledEmbeddings:
    return LabelledEmbeddings(data.embeddings[rows], data.classes[rows])


@pytest.fixture(scope="module")
def earlier(digits_task: HeadTask) -> EarlierHead:
    """A head that learned from 400 digits and never saw a nine."""
    known = digits_task.train.classes[:400] < 9
    validated = digits_task.validation.classes[:200] < 9
    task = HeadTask(
        part(digits_task.train, np.flatnonzero(known)),
        part(digits_task.validation, np.flatnonzero(validated)),
        9,
    )
    model = fit_frozen_head(task).model
    inputs = keras.Input((64,))
    return head_of(keras.Model(inputs, model(inputs)))


def accuracy(task: HeadTask, test: LabelledEmbeddings, earlier: EarlierHead | None) -> float:
    head = fit_frozen_head(task, earlier=earlier).solution
    answers = head.probabilities(test.embeddings).argmax(axis=1)
    return float((answers == test.classes).mean())


def test_few_new_images_and_a_new_class_add_to_what_was_learned(
    digits_task: HeadTask, digits_test: LabelledEmbeddings, earlier: EarlierHead
) -> None:
    # The images of the earlier head are gone; the new ones are few.
    few = HeadTask(
        part(digits_task.train, np.arange(500, 530)),
        part(digits_task.validation, np.arange(400, 460)),
        10,
    )
    started = earlier.for_classes(DIGITS[:9], DIGITS, {})
    with_start = accuracy(few, digits_test, started)
    assert with_start > accuracy(few, digits_test, None) + 0.05
    nines = part(digits_test, np.flatnonzero(digits_test.classes == 9))
    assert accuracy(few, nines, started) > 0.5


def test_new_images_that_mislead_hardly_move_it(
    digits_task: HeadTask, digits_test: LabelledEmbeddings, earlier: EarlierHead
) -> None:
    few = part(digits_task.train, np.arange(500, 530))
    mislabelled = LabelledEmbeddings(few.embeddings, (few.classes + 1) % 9)
    known = np.flatnonzero(digits_task.validation.classes < 9)
    task = HeadTask(mislabelled, part(digits_task.validation, known), 9)
    test = part(digits_test, np.flatnonzero(digits_test.classes < 9))
    rows = standardised(test.embeddings, earlier.mean, earlier.variance)
    before = (rows @ earlier.kernel + earlier.bias).argmax(axis=1)
    kept = float((before == test.classes).mean())
    assert accuracy(task, test, earlier) > kept - 0.01


def test_where_classes_matter_alike_few_images_of_some_move_no_bias(
    digits_task: HeadTask, earlier: EarlierHead
) -> None:
    rows = np.flatnonzero(digits_task.train.classes == 9)
    others = np.flatnonzero(digits_task.train.classes < 9)[:20]
    replayed = HeadTask(
        part(digits_task.train, np.concatenate([rows, others])), digits_task.validation, 10
    )
    started = earlier.for_classes(DIGITS[:9], DIGITS, {})
    moved = {
        weighting: np.abs(
            fit_frozen_head(replayed, weighting, started).solution.linear.bias - started.bias
        ).max()
        for weighting in ("none", "balanced")
    }
    assert moved["none"] > 0.3
    assert moved["balanced"] < 0.1


def test_many_new_images_have_the_last_word(
    digits_task: HeadTask, digits_test: LabelledEmbeddings, earlier: EarlierHead
) -> None:
    # The earlier head has the digits under other names, all of them wrong.
    wrong = earlier.for_classes(DIGITS[:9], [*DIGITS[1:], "0"], {})
    plain = accuracy(digits_task, digits_test, None)
    assert accuracy(digits_task, digits_test, wrong) > plain - 0.04


def test_classes_keep_their_weights_by_name(earlier: EarlierHead) -> None:
    other = earlier.for_classes(DIGITS[:9], ("new", "three", "0"), {"3": "three"})
    np.testing.assert_array_equal(other.kernel[:, 1], earlier.kernel[:, 3])
    np.testing.assert_array_equal(other.kernel[:, 2], earlier.kernel[:, 0])
    assert not other.kernel[:, 0].any()
    assert other.bias.tolist() == [0.0, earlier.bias[3], earlier.bias[0]]


def test_a_model_without_such_a_head_is_refused() -> None:
    with pytest.raises(UsageError, match=r"training\.start: pretrained"):
        head_of(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))


def test_a_head_is_the_same_under_another_standardisation(
    digits_task: HeadTask, earlier: EarlierHead
) -> None:
    rows = digits_task.train.embeddings[:50]
    mean, variance = statistics(digits_task.train.embeddings[100:200])
    kernel, bias = earlier.on(mean, variance)
    np.testing.assert_allclose(
        standardised(rows, mean, variance) @ kernel + bias,
        standardised(rows, earlier.mean, earlier.variance) @ earlier.kernel + earlier.bias,
        atol=1e-3,
    )


def test_a_probe_is_read_for_the_features_that_it_was_found_on(
    digits_task: HeadTask, digits_test: LabelledEmbeddings, tmp_path: Path
) -> None:
    probe, file = train_probe(digits_task, "none", digits_test), tmp_path / "head.npz"
    assert read_probe_heads(file, "these") is None
    write_probe_heads(file, probe, "these")
    assert read_probe_heads(file, "others") is None
    read = read_probe_heads(file, "these")
    assert read is not None
    assert read.heads.keys() == probe.solution.linear.solutions.keys()
    for strength, head in read.heads.items():
        np.testing.assert_array_equal(head.kernel, probe.solution.linear.solutions[strength][0])
    again = train_probe(digits_task, "none", digits_test, earlier=read)
    assert again.solution.linear.strength == probe.solution.linear.strength
    assert again.test_accuracy == pytest.approx(probe.test_accuracy, abs=0.005)
    file.write_bytes(file.read_bytes()[:-1])
    assert read_probe_heads(file, "these") is None
