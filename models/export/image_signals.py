"""Figures of the picture itself, computed in the served graph from the pixels that it decoded."""

from typing import Final

import tensorflow as tf

_LUMA: Final = (0.299, 0.587, 0.114)


def image_signals(pixels: tf.Tensor) -> tf.Tensor:
    """Describes images as the model sees them.

    - brightness: mean luma (ITU-R 601), 0 black to 1 white.
    - contrast: standard deviation of luma, 0 to 0.5.
    - sharpness: mean absolute difference of luma from one pixel to its right and lower neighbour,
      0 flat or blurred to 1.
    - colour: mean over the pixels of the largest less the smallest channel, 0 grey to 1.
    - warmth: mean red less mean blue, -1 to 1; its sign turns where channels are swapped.

    Args:
        pixels: float32 [n, s, s, 3], RGB in 0..255.

    Returns:
        float32 [n, 5], columns as in `IMAGE_SIGNALS`.
    """
    scaled = pixels / 255.0
    luma = tf.tensordot(scaled, tf.constant(_LUMA), 1)
    brightness = tf.reduce_mean(luma, [1, 2])
    contrast = tf.math.reduce_std(luma, [1, 2])
    right = tf.abs(luma[:, :-1, 1:] - luma[:, :-1, :-1])
    lower = tf.abs(luma[:, 1:, :-1] - luma[:, :-1, :-1])
    sharpness = tf.reduce_mean(right + lower, [1, 2]) / 2.0
    colour = tf.reduce_mean(tf.reduce_max(scaled, -1) - tf.reduce_min(scaled, -1), [1, 2])
    warmth = tf.reduce_mean(scaled[..., 0] - scaled[..., 2], [1, 2])
    return tf.stack([brightness, contrast, sharpness, colour, warmth], axis=1)
