from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from components.findings import Finding
from components.image_validator.appearance_checks import check_appearance
from components.image_validator.duplicate_checks import check_duplicates
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings
from models.data.image_statistics import describe
from models.data.near_duplicates import Appearance, parse_hashes

SETTINGS = ValidationSettings()
RANDOM = np.random.default_rng(0)


def noise(low: int = 0, high: int = 256) -> np.ndarray:
    return RANDOM.integers(low, high, (32, 32)).astype(np.uint8)


def table(images: dict[str, list[np.ndarray]]) -> ImageTable:
    """Classes of grey images; every file has bytes of its own."""
    labels = [label for label, members in images.items() for _ in members]
    names = [f"{label}/{at}" for label, members in images.items() for at in range(len(members))]
    figures = [describe(image) for members in images.values() for image in members]

    def column(key: str) -> np.ndarray:
        return np.array([getattr(each, key) for each in figures], np.float32)

    return ImageTable(
        split=np.full(len(labels), "train", object),
        label=np.array(labels, object),
        name=np.array(names, object),
        sha256=np.array(names, object),
        group=np.full(len(labels), "", object),
        look=Appearance(
            parse_hashes([each.phash for each in figures]),
            column("brightness_mean"),
            column("brightness_std"),
            column("sharpness"),
            np.ones(len(labels), np.float32),
        ),
    )


def found(images: dict[str, list[np.ndarray]], **settings: Any) -> list[tuple[str, str]]:
    return [(each.check, each.severity) for each in findings(images, **settings)]


def findings(images: dict[str, list[np.ndarray]], **settings: Any) -> list[Finding]:
    return check_appearance(table(images), SETTINGS.model_copy(update=settings))


def test_real_digits_white_on_black_and_grey_images_pass() -> None:
    digits = load_digits()
    images = {
        str(label): list((digits.images[digits.target == label] * 15).astype(np.uint8))
        for label in range(10)
    }
    assert findings(images) == []
    assert findings({"dim": [noise(100, 120) for _ in range(9)], "dark": [noise(0, 20)] * 4}) == []


def test_black_images_stop_the_run_and_are_named() -> None:
    black = [np.zeros((32, 32), np.uint8)] * 20
    (finding,) = findings({"a": black, "b": black, "c": black, "d": black})
    assert (finding.check, finding.severity, finding.count) == ("flat_images", "error", 80)
    assert finding.images[:2] == ("a/0", "a/1")
    assert "80 of 80 images are flat" in finding.message
    assert 'of the whole data, class "a", class "b" and 2 more' in finding.message
    assert "data.sample_range: [0, 4095]" in finding.message
    assert "validation.flat_images: warning" in finding.message


def test_what_is_left_of_12_bits_in_16_is_flat() -> None:
    assert found(
        {"a": [noise(0, 8) for _ in range(20)], "b": [noise(8, 16) for _ in range(20)]}
    ) == [("flat_images", "error")]


def test_one_class_of_blank_images_is_enough() -> None:
    blank = [np.full((32, 32), 250, np.uint8)] * 8
    images = {"good": [noise() for _ in range(200)], "blank": blank}
    (finding,) = findings(images)
    assert finding.severity == "error"
    assert 'of class "blank". ' in finding.message
    assert found(images, max_flat=1.0) == [("flat_images", "warning")]
    assert found(images, flat_images="ignore") == []


def test_a_few_flat_images_are_a_warning() -> None:
    flat = [np.full((32, 32), level, np.uint8) for level in (0, 128, 255)]
    (finding,) = findings({"a": [noise() for _ in range(5)] + flat})
    assert (finding.check, finding.severity) == ("flat_images", "warning")
    assert "validation.flat_images: ignore" in finding.message


def test_a_class_of_one_picture_stops_the_run() -> None:
    picture = noise()
    others = [noise() for _ in range(40)]
    images = {"all the same": [picture] * 9 + [noise()], "good": others}
    (finding,) = findings(images)
    assert (finding.check, finding.severity, finding.count) == ("one_picture", "error", 9)
    assert '9 of the 10 images in class "all the same" are one and the same' in finding.message
    assert found(images, max_one_picture=0.9) == []
    assert found(images, one_picture="warning") == [("one_picture", "warning")]


def test_a_copy_or_two_in_a_small_class_are_fine() -> None:
    assert found({"a": [noise()] * 4, "b": [noise() for _ in range(9)]}) == []


@pytest.mark.parametrize(("limit", "severity"), [(0.001, "error"), (0.5, "warning")])
def test_equal_pixels_in_different_files_under_two_labels(limit: float, severity: str) -> None:
    picture = noise()
    images = {"a": [picture, *(noise() for _ in range(9))], "b": [picture, noise()]}
    settings = SETTINGS.model_copy(update={"max_label_conflicts": limit})
    (finding,) = check_duplicates(table(images), settings)
    assert (finding.check, finding.severity) == ("label_conflict", severity)
    assert finding.images == ("a/0", "b/0")


def test_flat_images_under_two_labels_are_no_conflict_beside_being_flat() -> None:
    black = np.zeros((32, 32), np.uint8)
    assert check_duplicates(table({"a": [black, noise()], "b": [black, noise()]}), SETTINGS) == []
