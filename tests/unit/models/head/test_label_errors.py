from collections.abc import Sequence

import numpy as np
import pytest

from models.head.cleaning import decide
from models.head.label_errors import NO_DOUBTS, LabelDoubts, doubt_labels
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.out_of_fold import FoldedHeads
from models.head.wrong_share import WrongShare, wrong_share


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
    doubts = doubt_labels(images.classes, FoldedHeads(images, 10).probabilities())
    first = doubts.order[: len(wrong) // 10]
    assert wrong[first].sum() >= 0.8 * wrong.sum()
    assert wrong[doubts.is_suspect].mean() >= 0.7
    right = doubts.is_suspect & wrong
    assert (doubts.suggested[right] == few.classes[right]).mean() > 0.7
    assert (doubts.suggested_probability >= doubts.given_probability)[right].all()
    clean = doubt_labels(few.classes, FoldedHeads(few, 10).probabilities())
    assert clean.is_suspect.mean() < 0.04


def test_images_of_one_group_are_never_asked_after_being_learned(few):
    """Each image is there twice, once with a wrong label: a head that saw its twin would know."""
    twice = LabelledEmbeddings(np.tile(few.embeddings, (2, 1)), np.tile(few.classes, 2))
    groups = np.tile([f"g{number}" for number in range(len(few.classes))], 2)
    apart = FoldedHeads(twice, 10, groups).probabilities()
    alone = FoldedHeads(twice, 10).probabilities()
    rows = np.arange(len(groups))
    assert alone[rows, twice.classes].mean() > apart[rows, twice.classes].mean() + 0.01


def test_heads_without_the_suspects_know_better_which_labels_are_wrong(few):
    """Labels that are wrong alike, of one class for another, teach heads the wrong thing."""
    wrong = np.random.default_rng(0).random(len(few.classes)) < 0.2
    images = LabelledEmbeddings(few.embeddings, (few.classes + wrong) % 10)
    heads = FoldedHeads(images, 10)
    first = doubt_labels(images.classes, heads.probabilities())
    second = doubt_labels(images.classes, heads.probabilities(first.is_suspect))
    found = [wrong[each.order[: wrong.sum()]].sum() for each in (first, second)]
    assert found[1] > found[0]
    assert found[1] >= 0.75 * wrong.sum()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_the_surest_images_tell_the_share_of_wrong_labels(digits_task, share):
    images, wrong = mislabelled(digits_task.train, share)
    heads = FoldedHeads(images, 10)
    first = doubt_labels(images.classes, heads.probabilities())
    found = wrong_share(images.classes, heads.probabilities(first.is_suspect))
    assert 120 <= found.surest <= 130, "a fifth of the answers of each class, rounded up"
    assert found.others / found.surest == pytest.approx(wrong.mean(), abs=0.07)
    assert found.least <= found.others / found.surest


def test_few_images_that_disagree_are_no_sure_sign():
    assert WrongShare(0, 0).least == WrongShare(100, 0).least == 0.0
    assert 0.0 < WrongShare(20, 1).least < 0.03
    assert WrongShare(400, 20).least > 0.035, "the same share of more images"
    assert WrongShare(400, 400).least > 0.99


_ALL = np.ones(20, bool)
_CLASSES = np.repeat([0, 1], 10)


def doubts(suspects: Sequence[int]) -> LabelDoubts:
    """Of 20 images, the suspects the most doubtful ones, in their order."""
    others = [row for row in range(20) if row not in suspects]
    half = np.full(20, 0.5, np.float32)
    is_suspect = np.isin(np.arange(20), suspects)
    return LabelDoubts(np.array([*suspects, *others]), 1 - _CLASSES, half, half, is_suspect)


def test_auto_leaves_out_the_most_doubtful_as_many_of_a_class_as_are_surely_wrong():
    found = decide(doubts([7, 3, 5, 12]), WrongShare(1000, 230), _CLASSES, _ALL, "auto")
    assert np.flatnonzero(found.left_out).tolist() == [3, 7, 12], "a fifth of the ten of a class"
    assert "of the 1,000 images that heads are surest of, 230" in found.reason
    assert "at least 21.7% of all labels are taken for wrong" in found.reason
    some = decide(doubts([7]), WrongShare(1000, 500), _CLASSES, _ALL, "auto")
    assert np.flatnonzero(some.left_out).tolist() == [7], "no more than look wrong"
    none = decide(doubts([7, 3, 12, 15]), WrongShare(40, 1), _CLASSES, _ALL, "auto")
    assert not none.left_out.any()
    assert "too few to leave any out" in none.reason
    sound = decide(doubts([7, 3, 12, 15]), WrongShare(40, 0), _CLASSES, _ALL, "auto")
    assert not sound.left_out.any()
    assert "so that no label is surely wrong" in sound.reason


def test_the_configuration_decides_where_it_is_asked():
    nothing = WrongShare(1000, 0)
    dropped = decide(doubts([7, 3, 12]), nothing, _CLASSES, _ALL, "drop")
    assert np.flatnonzero(dropped.left_out).tolist() == [3, 7, 12]
    assert not decide(doubts([7, 3]), WrongShare(9, 9), _CLASSES, _ALL, "keep").left_out.any()
    assert not decide(doubts([]), WrongShare(9, 9), _CLASSES, _ALL, "drop").left_out.any()


def test_a_class_that_would_lose_most_of_a_split_keeps_it():
    is_training = np.arange(20) % 10 < 7
    suspects = [*range(6), 8, 12]
    found = decide(doubts(suspects), WrongShare(9, 9), _CLASSES, is_training, "drop")
    assert np.flatnonzero(found.left_out).tolist() == [8, 12]
    assert "6 more stay" in found.reason


def test_no_images_have_no_doubts():
    assert len(NO_DOUBTS.order) == len(NO_DOUBTS.is_suspect) == 0
