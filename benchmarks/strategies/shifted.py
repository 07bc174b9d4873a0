"""Images of another domain: what a different camera, scanner or network makes of the same things.

Each kind is a change that is the same for all images, so that a model may learn to undo it.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageFilter, ImageOps


def _grey(image: Image.Image) -> Image.Image:
    return ImageOps.grayscale(image).convert("RGB")


def _blur(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(min(image.size) / 40))


def _jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=10)
    return Image.open(buffer).convert("RGB")


def _cast(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, np.float32) * (1.0, 0.8, 0.5)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def _same(image: Image.Image) -> Image.Image:
    return image


SHIFTS: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "grey": _grey,
    "blur": _blur,
    "jpeg10": _jpeg,
    "cast": _cast,
    "none": _same,
}
"""A change by its name; `none` is the control, where nothing is to be gained."""


def shifted(encoded: bytes, kind: str) -> bytes:
    """An image as the other domain has it.

    Args:
        encoded: of any format that Pillow reads.
        kind: a key of `SHIFTS`.

    Returns:
        PNG.
    """
    with Image.open(io.BytesIO(encoded)) as opened:
        changed = SHIFTS[kind](opened.convert("RGB"))
    buffer = io.BytesIO()
    changed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()
