"""Classes that are one but for how their names are written."""

import numpy as np
import pytest

from components.image_validator.class_name_checks import check_class_names, names_alike
from components.image_validator.table import ImageTable
from components.image_validator.unlabelled_class_check import check_unlabelled_classes
from components.image_validator.validation_settings import ValidationSettings
from models.data.near_duplicates import Appearance

SETTINGS = ValidationSettings()


@pytest.mark.parametrize(
    "names",
    [
        ("Cat", "cat"),
        ("hot dog", "hot_dog"),
        ("hot  dog", "Hot-Dog"),
        ("a cat", "a\u00a0cat"),
        ("cat", "\u200bcat"),
        ("cat", "c\u00adat"),
        ("A4", "\uff214"),
        ("Straße", "STRASSE"),
        ("1", "1.0"),
        ("007", "7"),
        ("a", "\u200ba"),
    ],
)
def test_names_that_mean_the_same(names: tuple[str, str]) -> None:
    assert names_alike([*names, "another"]) == [sorted(names)]


@pytest.mark.parametrize(
    "names",
    [
        ("a", "A"),
        ("1", "-1"),
        ("1.0", "10"),
        ("cat", "cats"),
        ("hotdog", "hot dog"),
        ("résumé", "resume"),
        ("1", "1a"),
        ("c", "c++", "c#"),
    ],
)
def test_names_that_do_not(names: tuple[str, ...]) -> None:
    assert names_alike(names) == []


def _table(labels: list[str], **further: list[str]) -> ImageTable:
    plain = np.full(len(labels), 0.5, np.float32)
    return ImageTable(
        split=np.full(len(labels), "train", object),
        label=np.array(labels, object),
        name=np.array([f"{row}.png" for row in range(len(labels))], object),
        sha256=np.array([str(row) for row in range(len(labels))], object),
        group=np.full(len(labels), "", object),
        look=Appearance(np.arange(len(labels), dtype=np.uint64), plain, plain, plain, plain),
        further={name: np.array(told, object) for name, told in further.items()},
    )


def test_each_column_has_a_finding_that_names_classes_and_images() -> None:
    table = _table(["Cat", "cat", "dog", "\u200bdog"], site=["", "North", "north", "south"])
    label, site = check_class_names(table, SETTINGS)
    assert (label.check, label.severity, label.count) == ("similar_classes", "warning", 4)
    assert '"Cat" and "cat"; "dog" and "\\u200bdog"' in label.message
    assert label.message.endswith("To silence it, set validation.similar_classes: ignore.")
    assert "in the column 'site'" in site.message
    assert site.images == ("1.png", "2.png")


def test_it_can_stop_the_run_or_be_silent() -> None:
    table = _table(["Cat", "cat"])
    stops = SETTINGS.model_copy(update={"similar_classes": "error"})
    assert [each.severity for each in check_class_names(table, stops)] == ["error"]
    silent = SETTINGS.model_copy(update={"similar_classes": "ignore"})
    assert check_class_names(table, silent) == []
    assert check_class_names(_table(["cat", "dog"]), SETTINGS) == []


@pytest.mark.parametrize(
    "name",
    [
        "unlabelled",
        "Unlabeled",
        "un-labelled images",
        "not_labelled",
        "unsorted",
        "no label",
        "to_label",
        "tobesorted",
        "unclassified",
    ],
)
def test_a_class_that_is_called_unlabelled_stops_the_run(name: str) -> None:
    (found,) = check_unlabelled_classes(_table([name, name, "cat"]), SETTINGS)
    assert (found.check, found.severity, found.count) == ("unlabelled_class", "error", 2)
    assert f'the class "{name}" (2 images)' in found.message
    assert found.message.endswith("To go on all the same, set validation.unlabelled_class: ignore.")
    kept = SETTINGS.model_copy(update={"unlabelled_class": "ignore"})
    assert check_unlabelled_classes(_table([name, name, "cat"]), kept) == []


@pytest.mark.parametrize(
    "name", ["unknown", "Unidentified", "unknown images", "nan", "NULL", "N/A"]
)
def test_a_class_that_is_called_unknown_may_be_one(name: str) -> None:
    (found,) = check_unlabelled_classes(_table([name, "cat"]), SETTINGS)
    assert found.severity == "warning"
    assert found.message.endswith("To silence it, set validation.unlabelled_class: ignore.")


@pytest.mark.parametrize("name", ["other", "none", "background", "cat", "unknown soldier", "label"])
def test_a_name_that_may_be_a_thing_is_left_alone(name: str) -> None:
    assert check_unlabelled_classes(_table([name, "dog"]), SETTINGS) == []


@pytest.mark.parametrize(
    ("folders", "line"),
    [
        (("unsorted", "cat"), """graft run --set 'data.ignore=["unsorted"]'"""),
        (("train/unsorted", "train/cat"), """'data.ignore=["unsorted", "*/unsorted"]'"""),
        (("images", "images"), "in a manifest, delete their rows"),
        (("unsorted", "unsorted/cat"), "in a manifest, delete their rows"),
    ],
)
def test_it_says_how_to_leave_such_images_out(folders: tuple[str, str], line: str) -> None:
    table = _table(["unsorted", "cat"])
    table.name[:] = [f"{folder}/1.png" for folder in folders]
    (found,) = check_unlabelled_classes(table, SETTINGS)
    assert line in found.message
