import numpy as np
import pytest

from components.image_validator.drift_checks import check_spans, check_splits
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings
from models.data import example_schema
from models.data.near_duplicates import Appearance

SETTINGS = ValidationSettings()
SPANS = ("2026-11-01", "2026-11-02", "2026-11-03")


def table(split: list[str], brighter: float = 0.0, boots: float = 0.5, newest: int = 100):
    """Two spans of 150 images and a newest one, which may be brighter or hold other classes."""
    random = np.random.default_rng(0)
    spans = [SPANS[0]] * 150 + [SPANS[1]] * 150 + [SPANS[2]] * newest
    is_new = np.array([span == SPANS[2] for span in spans])
    count = len(spans)
    light = random.normal(0.5, 0.1, count) + brighter * is_new
    share = np.where(is_new, boots, 0.5)
    labels = np.where(random.random(count) < share, "boot", "hat").astype(object)
    parts = [split[each] for each in np.digitize(range(count), (150, 300))]
    texts = np.array([f"{span}/{number}.png" for number, span in enumerate(spans)], object)
    plain = np.zeros(count, np.float32)
    return ImageTable(
        split=np.array(parts, object),
        label=labels,
        name=texts,
        sha256=texts,
        group=texts,
        look=Appearance(plain.astype(np.uint64), plain, plain, plain, plain),
        measures={
            example_schema.BRIGHTNESS_MEAN: light.astype(np.float32),
            example_schema.WIDTH: np.full(count, 32),
            example_schema.FORMAT: np.array(["png"] * count, object),
        },
    )


TRAIN = ["train"] * 3


def test_spans_of_the_same_kind_do_not_differ() -> None:
    assert check_spans(table(TRAIN), SPANS, SETTINGS) == []
    assert check_spans(table(TRAIN, newest=40), SPANS, SETTINGS) == []


@pytest.mark.parametrize(
    ("change", "feature"), [({"brighter": 0.15}, "brightness_mean"), ({"boots": 0.9}, "label")]
)
def test_a_newest_span_of_another_kind_is_told_with_its_images(change, feature: str) -> None:
    (finding,) = check_spans(table(TRAIN, **change), SPANS, SETTINGS)
    assert (finding.check, finding.severity, finding.count) == ("span_drift", "warning", 100)
    assert f"the newest span, 2026-11-03, differs from the 2 before it: {feature}: The" in (
        finding.message
    )
    assert "validation.span_drift: ignore" in finding.message
    assert finding.images[0].startswith("2026-11-03/")


def test_few_images_one_span_and_silence_say_nothing() -> None:
    drifted = table(TRAIN, brighter=0.3)
    assert check_spans(table(TRAIN, brighter=0.3, newest=20), SPANS, SETTINGS) == []
    assert check_spans(drifted, SPANS[2:], SETTINGS) == []
    silent = SETTINGS.model_copy(update={"span_drift": "ignore", "split_skew": "ignore"})
    assert check_spans(drifted, SPANS, silent) == []
    assert check_splits(drifted, True, silent) == []


def test_a_test_split_of_its_own_that_is_of_another_kind() -> None:
    skewed = table(["train", "train", "test"], brighter=0.2)
    (finding,) = check_splits(skewed, True, SETTINGS)
    assert finding.check == "split_skew"
    assert "the test split differs from the training split: brightness_mean" in finding.message
    assert check_splits(skewed, False, SETTINGS) == []
