"""Maps of where a class was seen, from the exported signature."""

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from watermarks import CLASSES, MARK, SIDE, png, watermarked

from models.export.explanation import explainable

PLAIN, MARKED = range(2)
DATA = watermarked(64, seed=2)
SHOWN = np.flatnonzero(DATA.classes == MARKED)


@pytest.fixture(scope="module")
def model(watermark_models: Path) -> Any:
    return tf.saved_model.load(str(watermark_models / "1"))


def _explained(model: Any, pixels: np.ndarray, class_id: int = -1) -> dict[str, np.ndarray]:
    images = tf.constant([png(each) for each in pixels])
    ids = tf.fill([len(pixels)], tf.constant(class_id, tf.int64))
    outputs = model.signatures["explained"](image_bytes=images, class_id=ids)
    return {name: value.numpy() for name, value in outputs.items()}


def _full_size(heat: np.ndarray) -> np.ndarray:
    return tf.image.resize(heat[..., None], (SIDE, SIDE)).numpy()[..., 0]


def test_a_planted_watermark_is_where_the_heat_is(model: Any) -> None:
    said = _explained(model, DATA.pixels[SHOWN])
    assert (said["class_ids"][:, 0] == MARKED).all()
    heat = _full_size(said["heat"])
    assert heat.min() >= 0
    assert heat.max() <= 1
    shares = [
        heat[place][DATA.mark(number)].sum() / heat[place].sum()
        for place, number in enumerate(SHOWN)
    ]
    by_chance = (MARK / SIDE) ** 2
    assert np.mean(shares) > 8 * by_chance
    assert np.min(shares) > 3 * by_chance


def test_the_class_falls_sooner_than_where_places_are_drawn_at_random(model: Any) -> None:
    """The deletion score: mean probability while more and more places are made grey."""
    pixels = DATA.pixels[SHOWN]
    heat = _full_size(_explained(model, pixels)["heat"])
    chance = np.random.default_rng(0).random(heat.shape)

    def score(order_by: np.ndarray) -> float:
        ranks = (-order_by).reshape(len(pixels), -1).argsort(axis=1).argsort(axis=1)
        ranks = ranks.reshape(order_by.shape)
        left = []
        for share in (0.05, 0.1, 0.2, 0.4):
            is_gone = (ranks < share * SIDE**2)[..., None]
            images = tf.constant([png(each) for each in np.where(is_gone, 128, pixels)])
            outputs = model.signatures["serving_default"](image_bytes=images)
            left.append(outputs["probabilities"].numpy()[:, MARKED].mean())
        return float(np.mean(left))

    assert score(heat) < score(chance) - 0.3


def test_another_class_may_be_asked_about(model: Any) -> None:
    likeliest = _explained(model, DATA.pixels[SHOWN])
    own, other = (_explained(model, DATA.pixels[SHOWN], place) for place in (MARKED, PLAIN))
    np.testing.assert_array_equal(own["heat"], likeliest["heat"])
    np.testing.assert_array_equal(other["probabilities"], own["probabilities"])
    place, number = 0, SHOWN[0]
    mark = DATA.mark(number)
    assert _full_size(other["heat"])[place][mark].mean() < 0.5 * (
        _full_size(own["heat"])[place][mark].mean()
    )


def test_the_picture_is_the_square_that_the_model_saw(model: Any) -> None:
    wide = np.repeat(DATA.pixels[SHOWN[:1]], 2, axis=2)
    (seen,) = _explained(model, wide)["seen_bytes"]
    with Image.open(io.BytesIO(seen)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (SIDE, SIDE)
        error = np.abs(np.asarray(picture, np.float32) - DATA.pixels[SHOWN[0]]).mean()
    assert error < 12


@pytest.mark.parametrize("class_id", [-2, len(CLASSES)])
def test_a_class_that_is_not_there_is_refused(model: Any, class_id: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="class_id should be a number from 0"):
        _explained(model, DATA.pixels[:2], class_id)


def test_a_head_on_something_else_than_means_cannot_be_explained() -> None:
    images = keras.Input((8, 8, 3))
    largest = keras.layers.GlobalMaxPooling2D()(images)
    mean = keras.layers.GlobalAveragePooling2D()(images)
    for features in (largest, keras.layers.Concatenate()([mean, largest])):
        outputs = keras.layers.Softmax()(keras.layers.Dense(2)(features))
        assert explainable(keras.Model(images, outputs), features) is None
