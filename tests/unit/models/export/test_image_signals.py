"""Tests of the figures of a picture, against NumPy on the definition."""

import numpy as np
import tensorflow as tf

from models.export.image_signals import image_signals


def _expected(pixels: np.ndarray) -> list[float]:
    scaled = pixels.astype(np.float64) / 255
    luma = scaled @ [0.299, 0.587, 0.114]
    right = np.abs(luma[:-1, 1:] - luma[:-1, :-1])
    lower = np.abs(luma[1:, :-1] - luma[:-1, :-1])
    return [
        luma.mean(),
        luma.std(),
        (right + lower).mean() / 2,
        (scaled.max(axis=-1) - scaled.min(axis=-1)).mean(),
        (scaled[..., 0] - scaled[..., 2]).mean(),
    ]


def test_they_are_what_they_are_said_to_be():
    rng = np.random.default_rng(0)
    images = (rng.random((4, 9, 9, 3)) * 255).astype(np.float32)
    images[1] = 0
    images[2, ..., 1:] = 0
    images[3] = images[0][..., ::-1]
    found = image_signals(tf.constant(images)).numpy()
    np.testing.assert_allclose(found, [_expected(image) for image in images], atol=1e-5)
    assert found[1].tolist() == [0, 0, 0, 0, 0]
    np.testing.assert_allclose(found[3, 4], -found[0, 4], atol=1e-6)
