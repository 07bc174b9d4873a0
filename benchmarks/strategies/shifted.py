"""Images of another domain: what a different camera, scanner or network makes of the same things.

Each kind is a change that is the same for all images, so that a model may learn to undo it.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
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


def _noise(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    generator = np.random.default_rng(int(pixels.sum()))
    return _image(pixels + generator.normal(0.0, 25.0, pixels.shape))


def _dark(image: Image.Image) -> Image.Image:
    return _image(153.0 * (np.asarray(image, np.float32) / 255.0) ** 2.2)


def _hue(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = Image.fromarray((np.asarray(hue, np.int64) + 85).astype(np.uint8))
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _coarse(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((24, 24))
    return small.resize(image.size, Image.Resampling.BILINEAR)


def _sketch(image: Image.Image) -> Image.Image:
    grey = ImageOps.grayscale(image)
    wide = grey.filter(ImageFilter.GaussianBlur(max(image.size) / 60))
    edges = np.asarray(grey, np.float32) - np.asarray(wide, np.float32)
    return _image(255.0 - 4.0 * np.abs(edges)).convert("RGB")


def _faint(image: Image.Image) -> Image.Image:
    return _image(0.35 * np.asarray(image, np.float32) + 110.0)


def _image(pixels: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


SHIFTS: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "grey": _grey,
    "blur": _blur,
    "jpeg10": _jpeg,
    "cast": _cast,
    "none": _same,
}
"""A change by its name; `none` is the control, where nothing is to be gained."""

FURTHER: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "noise": _noise,
    "dark": _dark,
    "hue": _hue,
    "24 px": _coarse,
    "sketch": _sketch,
    "faint": _faint,
    "negative": ImageOps.invert,
}
"""Changes that no strategy was made for."""


def shifted(encoded: bytes, kind: str) -> bytes:
    """An image as the other domain has it.

    Args:
        encoded: of any format that Pillow reads.
        kind: a key of `SHIFTS` or `FURTHER`.

    Returns:
        PNG.
    """
    with Image.open(io.BytesIO(encoded)) as opened:
        changed = (SHIFTS | FURTHER)[kind](opened.convert("RGB"))
    buffer = io.BytesIO()
    changed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()
