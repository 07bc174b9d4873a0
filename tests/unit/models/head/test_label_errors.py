import numpy as np
import pytest

from models.head.cleaning import decide
from models.head.label_errors import NO_DOUBTS, doubt_labels
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.out_of_fold import out_of_fold_probabilities


def mislabelled(images: LabelledEmbeddings, share: float) -> tuple[LabelledEmbeddings, np.ndarray]:
    """Some images with another class, and which."""
    random = np.random.default_rng(0)
    wrong = random.random(len(images.classes)) < share
    classes = (images.classes + wrong * random.integers(1, 10, len(wrong))) % 10
    return LabelledEmbeddings(images.embeddings, classes), wrong


@pytest.fixture(scope="module")
def few(digits_task: HeadTask) -> LabelledEmbeddings:
    return digits_task.train.rows(np.arange(300))


def test_wrong_labels_are_found_and_right_ones_are_not(few):
    images, wrong = mislabelled(few, 0.05)
    doubts = doubt_labels(images.classes, out_of_fold_probabilities(images, 10))
    first = doubts.order[: len(wrong) // 10]
    assert wrong[first].sum() >= 0.8 * wrong.sum()
    assert wrong[doubts.is_suspect].mean() >= 0.7
    right = doubts.is_suspect & wrong
    assert (doubts.suggested[right] == few.classes[right]).mean() > 0.7
    assert (doubts.suggested_probability >= doubts.given_probability)[right].all()
    clean = doubt_labels(few.classes, out_of_fold_probabilities(few, 10))
    assert clean.is_suspect.mean() < 0.04


def test_images_of_one_group_are_never_asked_after_being_learned(few):
    """Each image is there twice, once with a wrong label: a head that saw its twin would know."""
    twice = LabelledEmbeddings(np.tile(few.embeddings, (2, 1)), np.tile(few.classes, 2))
    groups = np.tile([f"g{number}" for number in range(len(few.classes))], 2)
    apart = out_of_fold_probabilities(twice, 10, groups)
    alone = out_of_fold_probabilities(twice, 10)
    rows = np.arange(len(groups))
    assert alone[rows, twice.classes].mean() > apart[rows, twice.classes].mean() + 0.01


def test_auto_leaves_out_what_harms_and_keeps_what_does_not(few, digits_task):
    validation = digits_task.validation.rows(np.arange(300))
    images, wrong = mislabelled(few, 0.3)
    cleaned = decide(HeadTask(images, validation, 10), wrong, "auto")
    assert cleaned.is_done
    assert "better" in cleaned.reason
    harmless = np.random.default_rng(0).random(len(wrong)) < 0.3
    assert not decide(HeadTask(few, validation, 10), harmless, "auto").is_done


def test_the_configuration_decides_where_it_is_asked(few):
    task = HeadTask(few, few, 10)
    some = np.arange(300) < 5
    assert decide(task, some, "drop").is_done
    assert not decide(task, some, "keep").is_done
    assert not decide(task, np.zeros(300, bool), "drop").is_done
    only = decide(task, few.classes == 3, "drop")
    assert not only.is_done
    assert "no training image left" in only.reason


def test_no_images_have_no_doubts():
    assert len(NO_DOUBTS.order) == len(NO_DOUBTS.is_suspect) == 0
