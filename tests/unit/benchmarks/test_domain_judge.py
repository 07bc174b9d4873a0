"""The judge of domains must push features away from what it knows them by, and only that."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.strategies.domain_judge import both_losses, judging
from models.head.head_model import build_head

_FEATURES, _CLASSES, _STEPS = 4, 3, 10


def test_features_are_moved_against_the_judge_ever_more() -> None:
    keras.utils.set_random_seed(0)
    model = judging(build_head(_FEATURES, _CLASSES), 2, strength=0.5, steps=_STEPS)
    features = tf.Variable(np.ones((1, _FEATURES), np.float32))
    slopes = [_slope(model, features) for _ in range(_STEPS)]

    assert 0 < np.linalg.norm(slopes[0]) < np.linalg.norm(slopes[-1])
    judged = [float(model(values)[0, -1]) for values in (features, features + 0.1 * slopes[-1])]
    assert judged[1] < judged[0], "the gradient was not reversed"
    assert np.all(slopes[-1][:, 2:] == 0), "features of lower blocks were turned, too"


def _slope(model: keras.Model, features: tf.Variable) -> NDArray[np.float32]:
    """Of the judge's logit, by the features."""
    with tf.GradientTape() as tape:
        judged = model(features, training=True)[0, -1]
    return np.asarray(tape.gradient(judged, features))


def test_an_image_without_a_class_teaches_the_judge_alone() -> None:
    outputs = tf.Variable(np.random.default_rng(0).normal(size=(2, _CLASSES + 1)), dtype="float32")
    targets = np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32)
    with tf.GradientTape() as tape:
        losses = both_losses(targets, outputs, share=0.5)
    slopes = tape.gradient(losses, outputs).numpy()
    assert np.all(slopes[1, :_CLASSES] == 0)
    assert slopes[0, 0] < 0 < slopes[0, 3]
    assert slopes[1, 3] < 0
