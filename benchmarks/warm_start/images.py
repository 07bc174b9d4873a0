"""Images of a folder per class, and changed copies of them that make further tasks."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.data.normalisation import ImageRefusedError, normalise
from models.embedding.cache import content_digest

_MAX_PIXELS = 100_000_000
_LOW_RESOLUTION = 20
"""Longer side in pixels."""
_NOISE = 50.0
"""Standard deviation, of 255."""

Change = Callable[[bytes], bytes]
"""From one encoded image to another."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Where one labelled image lies.

    Attributes:
        path: of the file.
        label: class name.
        sha256: hex digest of the file.
    """

    path: str
    label: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled image.

    Attributes:
        encoded: JPEG or PNG that the backbone's reader takes.
        label: class name.
        digest: hex SHA-256 of `encoded`.
    """

    encoded: bytes
    label: str
    digest: str


def list_images(folder: Path, cache: Path, seed: int) -> dict[str, list[ImageFile]]:
    """Lists the images of a data set by split, as a run of Graft would divide them.

    Args:
        folder: a folder per class, or `train/`, `validation/` and `test/` above the classes.
        cache: folder in which digests of files are remembered.
        seed: of the split, where the data has none of its own.

    Raises:
        BadDataError: there are no classes, or too few images for a split.
    """
    # TFX takes ten seconds to import; a process that reads finished tasks needs none of it.
    from components.example_gen.ingest import plan_splits, read_source
    from components.example_gen.ingest_settings import IngestSettings

    with read_source(str(folder.absolute()), IngestSettings(), str(cache)) as source:
        plan = plan_splits(source.images, IngestSettings(), seed)
    return {
        split: [ImageFile(image.path, image.label, image.sha256) for image in images]
        for split, images in plan.splits.items()
    }


def proportional(labels: Sequence[str], count: int, seed: int) -> NDArray[np.intp]:
    """Chooses `count` positions at random, each class in proportion; all of them if fewer.

    Args:
        labels: class names [n].
        count: how many, at least 1.
        seed: of the choice.

    Returns:
        Positions in ascending order.
    """
    names = np.asarray(labels)
    places = np.empty(len(names))
    generator = np.random.default_rng(seed)
    for name in sorted(set(labels)):
        members = np.flatnonzero(names == name)
        # The k-th of a class lies at its quantile: any head of the order has all classes alike.
        places[generator.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(np.argsort(places, kind="stable")[:count])


def read_pictures(files: Sequence[ImageFile], change: Change | None) -> list[Picture]:
    """Reads images, leaving out what is none.

    Args:
        files: to read.
        change: made to each; None for the images as they are.
    """
    pictures = []
    for file in files:
        try:
            encoded = normalise(Path(file.path).read_bytes(), _MAX_PIXELS).encoded
        except (ImageRefusedError, OSError):
            continue
        if change is not None:
            encoded = change(encoded)
        pictures.append(Picture(encoded, file.label, content_digest(encoded)))
    return pictures


def grey(encoded: bytes) -> bytes:
    """Takes the colour away."""
    return _png(_open(encoded).convert("L"))


def low_resolution(encoded: bytes) -> bytes:
    """Reduces to the size of a thumbnail and enlarges again."""
    image = _open(encoded)
    factor = min(1.0, _LOW_RESOLUTION / max(image.size))
    small = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    reduced = image.resize(small, Image.Resampling.BOX)
    return _png(reduced.resize(image.size, Image.Resampling.BICUBIC))


def noisy(encoded: bytes) -> bytes:
    """Adds Gaussian noise, the same for the same image."""
    image = _open(encoded)
    # At its full size a photo's noise would vanish when the backbone's reader reduces it.
    image.thumbnail((128, 128), Image.Resampling.BOX)
    pixels = np.asarray(image, np.float32)
    generator = np.random.default_rng(int(content_digest(encoded)[:16], 16))
    changed = pixels + generator.normal(0.0, _NOISE, pixels.shape)
    return _png(Image.fromarray(np.clip(changed, 0, 255).astype(np.uint8)))


def is_grey(encoded: bytes) -> bool:
    """Whether an image has one channel, or three that are the same."""
    image = _open(encoded)
    if image.mode == "L":
        return True
    pixels = np.asarray(image)
    return bool((pixels == pixels[..., :1]).all())


def _open(encoded: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(encoded))
    return image if image.mode == "L" else image.convert("RGB")


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "png", compress_level=1)
    return content.getvalue()
