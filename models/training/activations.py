"""What the frozen layers make of the training images, computed once and kept on disk.

The frozen bottom of a backbone gives the same answer for the same view of an image in every epoch.
So a few views of each image (the first unchanged) go through it once; training then reads the
activations at the cut and runs the trainable top alone.
"""

import hashlib
import io
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import progress
from models.storage.seals import is_sealed, write_sealed
from models.training.augmentation import changed_views
from models.training.image_split import ImageSplit

_SHARD = 256
"""Images in a file: what a kill costs at most."""
_BATCH = 64
"""Images a pass through the bottom."""
_FLOAT16_MAX = float(np.finfo(np.float16).max)


class Activations:
    """Activations of one split on disk, [views, n, ...] in float16.

    Attributes:
        classes: int [n], class indices.
        views: how many views of each image there are.
    """

    def __init__(self, shards: list[NDArray[np.float16]], classes: NDArray[np.integer]) -> None:
        """Takes memory-mapped shards, in order, and the classes of all images."""
        self._shards = shards
        self._starts = np.cumsum([0, *(shard.shape[1] for shard in shards[:-1])])
        self.classes = classes
        self.views = shards[0].shape[0]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.classes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one activation."""
        return self._shards[0].shape[2:]

    def rows(self, images: NDArray[Any], views: NDArray[Any]) -> NDArray[np.float32]:
        """Activations of some images, each in the view asked for, float32 [len(images), ...]."""
        places = np.searchsorted(self._starts, images, side="right") - 1
        rows = images - self._starts[places]
        found = [
            self._shards[place][view, row]
            for place, row, view in zip(places, rows, views, strict=True)
        ]
        return np.stack(found).astype(np.float32)

    def joined(self, others: "Activations") -> "Activations":
        """These images and others behind them, which have as many views; each a class of its own.

        Args:
            others: at the same cut.
        """
        classes = np.arange(len(self) + len(others))
        return Activations([*self._shards, *others._shards], classes)

    def all(self) -> NDArray[np.float32]:
        """All images in their first view, float32 [n, ...]."""
        return np.concatenate([shard[0] for shard in self._shards]).astype(np.float32)


def compute_activations(
    forward: Callable[[Any], Any],
    split: ImageSplit,
    classes: NDArray[np.integer],
    directory: Path,
    *,
    views: int,
    mirror: bool,
    seed: int,
) -> Activations:
    """Runs the frozen bottom over a split, or takes up what an earlier call left, killed or not.

    Args:
        forward: the pass through the frozen part of a backbone, float32 [n, s, s, 3] to [n, ...].
        split: the images.
        classes: of these images, int [n], in their order.
        directory: files go here; it must belong to these images, this pass and these arguments.
        views: views of each image: one unchanged, the others changed.
        mirror: whether changed views may be mirrored.
        seed: of the changes.
    """
    count = len(classes)
    shards = range(math.ceil(count / _SHARD))
    paths = [directory / f"{split.split}-{number:06}.npy" for number in shards]
    if not all(map(is_sealed, paths)):
        for number, (encoded, _) in enumerate(split.encoded().batch(_SHARD)):
            if not is_sealed(paths[number]):
                generator = np.random.default_rng([seed, number])
                _save(paths[number], _shard(forward, encoded, split, views, mirror, generator))
            progress.report(min((number + 1) * _SHARD, count), count, "images")
    return Activations([np.load(path, mmap_mode="r") for path in paths], classes)


def of_process(folder: Path, process: str = "run") -> Path:
    """The part of a shared folder that one process alone writes to.

    Args:
        folder: of a search and the training after it.
        process: no two at a time may have the same name; the training goes on as the run.
    """
    return folder / hashlib.sha256(process.encode()).hexdigest()[:8]


def delete_activations(directory: Path) -> None:
    """Removes the files of `compute_activations`."""
    for path in directory.rglob("*.npy"):
        path.unlink()


def bytes_in(directory: Path) -> int:
    """Size of all files in a folder, which need not exist."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _shard(
    forward: Callable[[Any], Any],
    encoded: tf.Tensor,
    split: ImageSplit,
    views: int,
    mirror: bool,
    generator: np.random.Generator,
) -> NDArray[np.float16]:
    parts = []
    for decoded in _decoded(encoded, split):
        images = split.finished(decoded, generator)
        changed = (changed_views(images, generator, mirror=mirror) for _ in range(views - 1))
        parts.append(
            np.stack([forward(view).numpy() for view in itertools.chain([images], changed)])
        )
    return np.concatenate(parts, axis=1).clip(-_FLOAT16_MAX, _FLOAT16_MAX).astype(np.float16)


def _decoded(encoded: tf.Tensor, split: ImageSplit) -> Iterator[NDArray[np.float32]]:
    images = tf.data.Dataset.from_tensor_slices(encoded).map(
        lambda one: split.decode(one, 0)[0], tf.data.AUTOTUNE, deterministic=True
    )
    return images.batch(_BATCH).prefetch(1).as_numpy_iterator()


def _save(path: Path, shard: NDArray[np.float16]) -> None:
    content = io.BytesIO()
    np.save(content, shard)
    # NumPy maps the array and passes over the seal behind it.
    write_sealed(path, content.getvalue())
