"""Shortcuts, by models that answer what a test has them answer."""

import numpy as np
import pytest

from components.evaluation.evaluation_settings import EvaluationSettings
from components.judge.occlusion import REGIONS, Floats, find_shortcuts
from components.judge.shortcut_check import Looked, check_shortcuts

LABELS = ("left", "right", "marked")
SIDE = 16


def images() -> tuple[Floats, np.ndarray]:
    """Ten of each: bright on the left, on the right, in the middle with a mark in the corner."""
    classes = np.repeat([0, 1, 2], 10)
    pixels = np.random.default_rng(0).uniform(0, 40, (30, SIDE, SIDE, 3)).astype(np.float32)
    for image, label in zip(pixels, classes, strict=True):
        column = (1, 12, 6)[label]
        image[4:12, column : column + 4] += 150
    pixels[classes == 2, 13:, 13:] = 255.0
    return pixels, classes


def softmax(scores: list[np.ndarray]) -> Floats:
    odds = np.exp(np.stack(scores, axis=1) / 10)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def by_the_mark(pixels: Floats) -> Floats:
    """Tells the sides apart, and takes whatever has the mark for the third class."""
    left, right = pixels[:, 4:12, :8].mean((1, 2, 3)), pixels[:, 4:12, 8:].mean((1, 2, 3))
    return softmax([left, right, 2 * (pixels[:, 13:, 13:].mean((1, 2, 3)) - 90)])


def by_the_thing(pixels: Floats) -> Floats:
    """Looks where the thing is."""
    places = [pixels[:, 4:12, column : column + 4].mean((1, 2, 3)) for column in (1, 12, 6)]
    return softmax(places)


def test_a_mark_in_one_class_is_found_with_its_place():
    (found,) = find_shortcuts(*images(), LABELS, by_the_mark)
    assert found.label == "marked"
    assert found.region in ("bottom, right", "the bottom edge", "the right edge")
    assert found.images == 10
    assert found.loss > 0.8
    assert found.others_loss < 0.1
    assert found.gain > 0.8


def test_no_image_is_asked_about_twice_as_it_is():
    asked: list[bytes] = []

    def answer(pixels: Floats) -> Floats:
        asked.extend(each.tobytes() for each in pixels)
        return by_the_mark(pixels)

    pixels, classes = images()
    find_shortcuts(pixels, classes, LABELS, answer)
    plain = [image.tobytes() for image in pixels]
    assert [asked.count(image) for image in plain] == [1] * len(plain)


def test_where_the_thing_is_is_no_shortcut_when_others_may_be_there():
    """Covering the middle takes the third class alone; the middle of it elsewhere tells little."""
    assert find_shortcuts(*images(), LABELS, by_the_thing) == ()


def test_regions_cover_the_picture_and_the_edges():
    seen = np.zeros((1, 30, 30, 3), int)
    for region in REGIONS[:16]:
        seen[region.area(30)] += 1
    assert (seen == 1).all()
    assert {region.words for region in REGIONS[16:]} == {
        f"the {side} edge" for side in ("top", "bottom", "left", "right")
    }


@pytest.mark.parametrize(("severity", "passed"), [("warning", True), ("error", False)])
def test_the_configuration_says_whether_a_shortcut_stops_a_push(severity, passed):
    found = find_shortcuts(*images(), LABELS, by_the_mark)
    check = check_shortcuts(Looked(found, 3, 3), EvaluationSettings(shortcuts=severity))
    assert check.passed is passed
    assert "1 class may be answered by a fixed part" in check.words
    assert "'marked'" in check.words
    assert ("evaluation.shortcuts: warning" in check.words) is not passed
    assert check_shortcuts(Looked((), 3, 3), EvaluationSettings(shortcuts=severity)).passed
    nothing = check_shortcuts(None, EvaluationSettings(shortcuts=severity))
    assert nothing.passed
    assert nothing.value is None


@pytest.mark.parametrize(
    ("classes", "words"),
    [(50, "No class is answered"), (20, "None of the 20 classes that were looked at, of 50, is")],
)
def test_it_is_said_of_the_classes_that_were_looked_at_alone(classes, words):
    check = check_shortcuts(Looked((), classes, 50), EvaluationSettings())
    assert check.words.startswith(words)
