"""A picture with the heat of an explanation over it."""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.data.image_opening import open_image

_WARM: Final = np.array([255.0, 120.0, 0.0])
_HOT: Final = np.array([255.0, 235.0, 120.0])
_DIMMED: Final = 0.75
"""Of the picture's own light, so that the heat is seen on white too."""
_STRONGEST: Final = 0.8
"""How far the hottest place hides the picture."""
_QUALITY: Final = 85


def heat_picture(seen: bytes, heat: NDArray[np.float32], side: int) -> bytes:
    """Draws an explanation: the picture in grey, and warm colours where it speaks for the class.

    The colder half of the places stays grey, and the hottest place is drawn hottest, whatever its
    value: a drawing shows where, not how much.

    Args:
        seen: image of the square that the model saw.
        heat: float32 [g, g], in 0..1, over that square.
        side: of the drawing, in pixels.

    Returns:
        A JPEG.

    Raises:
        OSError: the image is damaged.
    """
    with open_image(seen) as image:
        grey = image.convert("L").resize((side, side), Image.Resampling.BILINEAR)
    middle = float(np.median(heat))
    scaled = np.maximum(heat - middle, 0) / max(float(heat.max()) - middle, 1e-6)
    spread = Image.fromarray(np.rint(255 * scaled).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    strength = np.asarray(spread, np.float64)[..., None] / 255
    colour: NDArray[Any] = _WARM + (_HOT - _WARM) * strength**2
    hidden = _STRONGEST * strength
    picture = _DIMMED * np.asarray(grey, np.float64)[..., None] * (1 - hidden) + colour * hidden
    file = io.BytesIO()
    Image.fromarray(np.rint(picture).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
