"""Classes that are one but for how their names are written."""

import numpy as np
import pytest

from components.image_validator.class_name_checks import check_class_names, names_alike
from components.image_validator.table import ImageTable
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
