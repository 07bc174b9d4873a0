import numpy as np
import pytest

from components.image_validator.validation_settings import ValidationSettings
from components.label_check.executor import look_for_label_errors
from components.label_check.label_errors_file import (
    DoubtfulLabel,
    FoundLabelErrors,
    left_out,
    read_label_errors,
    write_label_errors,
)
from components.label_gate.executor import check_labels
from models.embedding import EmbeddingSplit
from models.head.labelled_embeddings import HeadTask
from models.training.training_settings import TrainingSettings

LABELS = tuple(f"digit {number}" for number in range(10))


@pytest.fixture(scope="module")
def images(digits_task: HeadTask) -> EmbeddingSplit:
    """300 digits to train on, each tenth with the label of the next class, and 200 others."""
    train = digits_task.train.rows(np.arange(300))
    wrong = np.arange(300) % 10 == 0
    classes = (train.classes + wrong) % 10
    labels = np.array([LABELS[index] for index in classes])
    labels[1:4] = "rare"  # not known to the model
    labels[5:8] = LABELS[0]
    names = np.array([f"{number}.png" for number in range(300)])
    validation = digits_task.validation.rows(np.arange(200))
    truth = np.array([LABELS[index] for index in validation.classes])
    others = np.array([f"v{number}.png" for number in range(200)])
    return joined(
        EmbeddingSplit(train.embeddings, labels, names, names),
        EmbeddingSplit(validation.embeddings, truth, others, others),
    )


def joined(one: EmbeddingSplit, other: EmbeddingSplit) -> EmbeddingSplit:
    return EmbeddingSplit(
        np.concatenate([one.embeddings, other.embeddings]),
        np.concatenate([one.labels, other.labels]),
        np.concatenate([one.names, other.names]),
        np.concatenate([one.sha256, other.sha256]),
    )


def test_what_is_found_is_left_out_where_it_is_asked(images, tmp_path):
    found = look_for_label_errors(images, 300, LABELS, "drop", seed=0, examples="a/b/1")
    planted = {f"{number}.png" for number in range(0, 300, 10)}
    first = {each.name for each in found.doubtful[: found.images // 10]}
    assert len(first & planted) >= 24
    assert found.images == 497
    assert found.unchecked == 3
    assert set(found.left_out) == {each.name for each in found.doubtful if each.is_suspect}
    assert {each.split for each in found.doubtful if each.is_suspect} == {"train", "validation"}
    assert f"{found.suspects} of 497 labels look wrong (6.0%), 30 left out" in found.words
    write_label_errors(tmp_path, found)
    assert read_label_errors(tmp_path) == found
    assert left_out(str(tmp_path)) == found.left_out
    assert left_out(None) == ()


def test_by_itself_it_leaves_out_as_many_as_labels_are_wrong(images):
    found = look_for_label_errors(images, 300, LABELS, TrainingSettings().label_errors, seed=0)
    assert found.left_out
    for label in LABELS:
        own = [each.name for each in found.doubtful if each.is_suspect and each.label == label]
        gone = set(own).intersection(found.left_out)
        assert gone == set(own[: len(gone)]), "the most doubtful first"
    planted = {f"{number}.png" for number in range(0, 300, 10)}
    assert len(set(found.left_out) & planted) >= 0.8 * len(found.left_out)


@pytest.mark.parametrize("rare", [4, 5, 6])
def test_one_class_of_two_may_have_next_to_no_image(digits_task, rare):
    rows = digits_task.validation
    zeros, ones = (np.flatnonzero(rows.classes == each) for each in (0, 1))
    chosen = np.concatenate([zeros[:40], ones[:rare]])
    names = np.array([f"{number}.png" for number in chosen])
    labels = np.array([LABELS[index] for index in rows.classes[chosen]])
    embedded = EmbeddingSplit(rows.embeddings[chosen], labels, names, names)
    found = look_for_label_errors(embedded, len(chosen), LABELS[:2], "auto", seed=0)
    weighed = rare >= 5
    assert (found.images, found.unchecked) == ((40 + rare, 0) if weighed else (0, 40 + rare))
    assert ("no label was weighed" in found.words) is not weighed
    assert found.left_out == ()
    assert check_labels(found, ValidationSettings()) == [] or weighed


@pytest.mark.parametrize("count", [100, 500])
def test_by_itself_it_leaves_next_to_nothing_out_where_labels_are_right(digits_task, count):
    rows = digits_task.validation.rows(np.arange(count))
    names = np.array([f"{number}.png" for number in range(count)])
    right = np.array([LABELS[index] for index in rows.classes])
    embedded = EmbeddingSplit(rows.embeddings, right, names, names)
    found = look_for_label_errors(embedded, int(0.8 * count), LABELS, "auto", seed=0)
    assert len(found.left_out) <= 0.01 * count
    assert found.suspects > len(found.left_out), "hard images look wrong too"


def test_the_share_makes_a_finding_of_the_severity_that_is_set(images):
    found = look_for_label_errors(images, 300, LABELS, "keep", seed=0)
    assert found.left_out == ()
    (finding,) = check_labels(found, ValidationSettings())
    assert (finding.severity, finding.count) == ("warning", found.suspects)
    assert "graft labels --errors" in finding.message
    assert "To silence it, set validation.label_errors: ignore." in finding.message
    (error,) = check_labels(found, ValidationSettings(label_errors="error"))
    assert "To go on all the same" in error.message
    assert check_labels(found, ValidationSettings(max_label_errors=0.5)) == []
    assert check_labels(found, ValidationSettings(label_errors="ignore")) == []


def first(images: EmbeddingSplit, count: int) -> EmbeddingSplit:
    """So many training images, and as many to validate on."""
    return joined(images.rows(slice(count)), images.rows(slice(300, 300 + count)))


def test_classes_too_small_to_weigh_are_counted(images):
    found = look_for_label_errors(first(images, 20), 20, LABELS, "auto", seed=0)
    assert found.images + found.unchecked == 40
    assert found.unchecked > 3
    nothing = look_for_label_errors(first(images, 5), 5, LABELS, "auto", seed=0)
    assert (nothing.images, nothing.suspects, nothing.doubtful) == (0, 0, ())


def test_a_class_that_is_hardly_ever_known_is_told_as_that():
    suspects = tuple(
        DoubtfulLabel(
            name=f"{label}{number}.png",
            split="train",
            label=label,
            suggested="many",
            suggested_probability=0.9,
            label_probability=0.0,
            is_suspect=True,
        )
        for label, count in (("rare", 6), ("many", 20))
        for number in range(count)
    )
    found = FoundLabelErrors(
        examples="a/b/1",
        images=110,
        unchecked=0,
        suspects=26,
        reason="",
        left_out=(),
        doubtful=suspects,
        weighed={"many": 100, "rare": 10},
    )
    assert found.not_understood == ("rare",)
    (finding,) = check_labels(found, ValidationSettings())
    assert 'more than half of the images of "rare": such a class is rather not' in finding.message
    known = found.model_copy(update={"weighed": {"many": 100, "rare": 12}})
    assert "not understood" not in check_labels(known, ValidationSettings())[0].message
