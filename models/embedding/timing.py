"""How long a backbone takes for an image."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def milliseconds_an_image(
    forward: Callable[[Any], Any], image_size: int, batch_size: int, rounds: int
) -> float:
    """Measures a compiled forward pass on this machine.

    Args:
        forward: from float32 [n, s, s, 3] to a tensor.
        image_size: s, in pixels.
        batch_size: n.
        rounds: passes that are timed, after two that are not.

    Returns:
        The middle one of the passes, by the number of its images. Other work on the machine counts:
        it will be there in training, too.
    """
    # Noise, as zeros might be cheaper.
    images = tf.random.stateless_uniform(
        (batch_size, image_size, image_size, 3), seed=(0, 0), maxval=255.0
    )
    seconds = []
    for _ in range(rounds + 2):
        begin = time.perf_counter()
        forward(images).numpy()
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds[2:]) / batch_size
