"""Changed views of images: framing, mirror, light.

One affine map for framing, so that pixels are interpolated once, however many things change.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_ZOOM_IN, _ZOOM_OUT = 0.30, 0.10
"""Bounds of the logarithm of the zoom: from 1.35 times nearer to 1.1 times farther."""
_STRETCH = 0.10
"""Bound of the logarithm of the change of aspect ratio."""
_ROTATION = np.deg2rad(10.0)
_CONTRAST = 0.25
"""Bound of the logarithm of the contrast's factor."""
_BRIGHTNESS = 25.0
"""Bound of what is added, of 255."""

Images = NDArray[np.float32]


def changed_views(images: Images, generator: np.random.Generator, *, mirror: bool) -> Images:
    """Changes each image by itself: zoom, place, aspect, a slight turn, contrast and brightness.

    What lies outside of the image is filled with its reflection.

    Args:
        images: float32 [n, s, s, 3], in 0..255.
        generator: of all that is drawn.
        mirror: whether half of the images are mirrored left to right as well.

    Returns:
        Images of the same shape and range.
    """
    count, size = images.shape[:2]
    draw = generator.uniform
    zoom = np.exp(draw(-_ZOOM_IN, _ZOOM_OUT, count))
    stretch = np.exp(draw(-_STRETCH, _STRETCH, count))
    angle = draw(-_ROTATION, _ROTATION, count)
    flip = np.where(generator.random(count) < 0.5, -1.0, 1.0) if mirror else np.ones(count)
    room = np.maximum(0.0, 1.0 - zoom) * size / 2
    shift = draw(-1.0, 1.0, (count, 2)) * room[:, None]
    matrix = np.stack(
        [
            zoom * stretch * np.cos(angle) * flip,
            -zoom * np.sin(angle),
            zoom * np.sin(angle) * flip,
            zoom / stretch * np.cos(angle),
        ],
        axis=1,
    ).reshape(count, 2, 2)
    framed = _affine(images, matrix, shift)
    contrast = np.exp(draw(-_CONTRAST, _CONTRAST, (count, 1, 1, 1)))
    brightness = draw(-_BRIGHTNESS, _BRIGHTNESS, (count, 1, 1, 1))
    lit = (framed - 127.5) * contrast + 127.5 + brightness
    return np.clip(lit, 0.0, 255.0).astype(np.float32)


def mirrored(images: Images) -> Images:
    """Images [n, h, w, c] mirrored left to right."""
    return np.ascontiguousarray(images[:, :, ::-1])


def _affine(images: Images, matrix: NDArray[Any], shift: NDArray[Any]) -> Images:
    """Samples each image at matrix · (place - centre) + centre + shift."""
    centre = (images.shape[1] - 1) / 2
    offset = centre + shift - matrix.sum(axis=2) * centre
    transform = np.zeros((len(images), 8), np.float32)
    transform[:, 0:2], transform[:, 3:5] = matrix[:, 0], matrix[:, 1]
    transform[:, 2], transform[:, 5] = offset[:, 0], offset[:, 1]
    sampled = keras.ops.image.affine_transform(
        images, transform, interpolation="bilinear", fill_mode="reflect"
    )
    return keras.ops.convert_to_numpy(sampled)
