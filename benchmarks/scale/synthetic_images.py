"""JPEG photos that are drawn, as many as are wanted: each another one, of 10 to 40 kB.

A photo is a piece of a large canvas of noise, which gives the file its size, under a rough pattern
of its own, so that no two look alike, in the colour of its class, which a head can learn.
"""

import io
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES: Final = 10
_CANVAS: Final = 2048
_SIDES: Final = (200, 420)
_FOLDER: Final = 1_000
"""Images that are written at a time, and begun anew after a kill."""


def write_images(folder: Path, images: range, kind: str = "") -> None:
    """Writes a folder for each class. What an earlier call has written stays.

    Args:
        folder: of the data.
        images: numbers of the images; the same number is always the same image.
        kind: what the names of the files begin with.
    """
    done = folder.with_name(f"{folder.name}-{kind}{images.start}-{images.stop}.done")
    if done.exists():
        return
    for label in range(CLASSES):
        (folder / f"class-{label}").mkdir(parents=True, exist_ok=True)
    parts = [images[at : at + _FOLDER] for at in range(0, len(images), _FOLDER)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write, [folder] * len(parts), parts, [kind] * len(parts)))
    done.touch()


def _write(folder: Path, images: range, kind: str) -> None:
    for number in images:
        path = folder / f"class-{number % CLASSES}" / f"{kind}{number:07d}.jpg"
        if not path.exists():
            part = path.with_name(f".{path.name}")
            part.write_bytes(photo(number))
            part.rename(path)


def photo(number: int) -> bytes:
    """A JPEG file; its class is the last digit of its number."""
    random = np.random.default_rng(number)
    width, height = random.integers(*_SIDES, size=2)
    top, left = random.integers(_CANVAS - _SIDES[1], size=2)
    noise = _canvas()[top : top + height, left : left + width]
    rough = random.integers(0, 256, (6, 6, 3), np.uint8)
    pattern = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))
    pixels = (0.35 * noise + 0.4 * pattern + 0.25 * _colour(number % CLASSES)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _colour(label: int) -> NDArray[np.float64]:
    angle = 2 * np.pi * label / CLASSES
    third = 2 * np.pi / 3
    return np.asarray(127.5 * (1 + np.cos(angle + third * np.arange(3))))


@cache
def _canvas() -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    total = np.zeros((_CANVAS, _CANVAS, 3), np.float32)
    for cells in (32, 128, 512, 2048):
        layer = random.integers(0, 256, (cells, cells, 3), np.uint8)
        resized = Image.fromarray(layer).resize((_CANVAS, _CANVAS), Image.Resampling.BICUBIC)
        total += np.asarray(resized, np.float32) / 4
    return total
