"""Figures of the picture itself, computed in the served graph from the pixels that it decoded."""

from typing import Final

import tensorflow as tf

_RED: Final = 0.299
_GREEN: Final = 0.587
_BLUE: Final = 0.114


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
    # Channels apart: to look for the largest of three along the last axis takes twice as long.
    red, green, blue = tf.unstack(pixels / 255.0, axis=-1)
    luma = _RED * red + _GREEN * green + _BLUE * blue
    brightness = tf.reduce_mean(luma, [1, 2])
    distance = tf.math.squared_difference(luma, brightness[:, None, None])
    contrast = tf.sqrt(tf.reduce_mean(distance, [1, 2]))
    right = tf.abs(luma[:, :-1, 1:] - luma[:, :-1, :-1])
    lower = tf.abs(luma[:, 1:, :-1] - luma[:, :-1, :-1])
    sharpness = tf.reduce_mean(right + lower, [1, 2]) / 2.0
    largest = tf.maximum(tf.maximum(red, green), blue)
    smallest = tf.minimum(tf.minimum(red, green), blue)
    colour = tf.reduce_mean(largest - smallest, [1, 2])
    warmth = tf.reduce_mean(red - blue, [1, 2])
    return tf.stack([brightness, contrast, sharpness, colour, warmth], axis=1)
