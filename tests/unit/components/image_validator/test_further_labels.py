import numpy as np
import pytest

from components.image_validator.further_label_checks import check_further_labels, counts
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings
from models.data.near_duplicates import Appearance

SETTINGS = ValidationSettings()
Labels = dict[str, dict[str, int]]
GOOD: Labels = {
    "train": {"wool": 30, "silk": 20, "": 9},
    "validation": {"wool": 12, "silk": 8, "": 2},
    "test": {"wool": 12, "silk": 8, "": 1},
}


def table(labels: Labels) -> ImageTable:
    """Images with a label in the column `material`, by split and label."""
    rows = [
        (split, label)
        for split, classes in labels.items()
        for label, count in classes.items()
        for _ in range(count)
    ]
    split, label = (np.array(each, object) for each in zip(*rows, strict=True))
    names = np.array([str(row) for row in range(len(rows))], object)
    plain = np.full(len(rows), 0.5, np.float32)
    look = Appearance(np.zeros(len(rows), np.uint64), plain, plain, plain, plain)
    return ImageTable(split, names, names, names, names, look, further={"material": label})


def found(labels: Labels, **settings: object) -> list[tuple[str, str]]:
    wanted = SETTINGS.model_copy(update=settings)
    return [(each.check, each.severity) for each in check_further_labels(table(labels), wanted)]


def test_enough_labels_are_no_finding_and_are_counted() -> None:
    assert found(GOOD) == []
    assert counts(table(GOOD)) == [
        {
            "column": "material",
            "images": 90,
            "of": 102,
            "splits": {"train": 50, "validation": 20, "test": 20},
            "classes": {"silk": 36, "wool": 54},
        }
    ]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_without_a_label_that_was_learned_stops_the_run(split: str) -> None:
    assert found(GOOD | {split: {"": 20}}) == [("further_labels", "error")]
    few = GOOD | {split: {"wool": 9, "": 20}}
    (finding,) = check_further_labels(table(few), SETTINGS)
    assert (finding.check, finding.severity) == ("too_few_images", "warning")
    assert f"only 9 images of the {split} split" in finding.message
    assert "out of data.further_labels" in finding.message


@pytest.mark.parametrize("train", [{"wool": 30}, {"": 30}])
def test_one_class_cannot_be_told_apart(train: dict[str, int]) -> None:
    assert ("further_labels", "error") in found(GOOD | {"train": train})


def test_a_class_that_training_lacks_or_hardly_has() -> None:
    lacking = GOOD | {"test": {**GOOD["test"], "linen": 1}}
    (finding,) = check_further_labels(table(lacking), SETTINGS)
    assert (finding.check, finding.severity) == ("unseen_class", "error")
    assert "\"linen\" of the column 'material' has 1 image in test and none" in finding.message
    small = GOOD | {"train": {**GOOD["train"], "linen": 4}}
    assert found(small) == [("too_few_images", "error")]
    assert found(small, min_images_per_class=4) == []
    assert found(small, too_few_images="ignore") == []
