"""A backbone that Graft fine-tuned, as a file that another run may begin from.

It is a weights file as Keras writes it (`.weights.h5`) with two more datasets, so that nothing gets
lost on the way: `graft`, JSON that says what the backbone went through and under what licence it
began, and `graft_images`, which images it learned from, as no test may be made on these.
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from models.backbone_record import DATASET, SUFFIX, BackboneRecord
from models.errors import UsageError

_IMAGES: Final = "graft_images"


def short_digests(digests: Iterable[str]) -> NDArray[np.uint64]:
    """The first 8 bytes of SHA-256 digests, each once, uint64 [n]: enough to know images by.

    Args:
        digests: hex.
    """
    return np.unique(np.array([int(each[:16], 16) for each in digests], np.uint64))


def write_backbone(
    save: Callable[[Path], Any], record: BackboneRecord, images: NDArray[np.uint64], file: Path
) -> None:
    """Writes a backbone with what is told of it; the file is whole or absent.

    Args:
        save: writes the weights to the file that it is given, as `keras.Model.save_weights` does.
        record: what is told.
        images: that it learned from, in all its trainings; of `short_digests`.
        file: its name ends in `.weights.h5`.

    Raises:
        UsageError: its name ends otherwise.
        OSError: the disk is full or the folder cannot be written.
    """
    if not file.name.endswith(SUFFIX):
        raise UsageError(f"A backbone is written to a file that ends in {SUFFIX}; got {file}.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name[:50]}-", dir=file.parent) as folder:
        partial = Path(folder) / file.name
        save(partial)
        with h5py.File(partial, "r+") as weights:
            told = record.model_dump_json().encode()
            weights.create_dataset(DATASET, data=np.frombuffer(told, np.uint8))
            weights.create_dataset(_IMAGES, data=images)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)


def read_images(file: str | Path) -> NDArray[np.uint64]:
    """The images that a backbone learned from, of `short_digests`.

    Args:
        file: that `read_record` knows.

    Raises:
        UsageError: it is damaged.
    """
    try:
        with h5py.File(file, "r") as weights:
            return np.asarray(weights[_IMAGES][()], np.uint64)
    except Exception as error:
        raise UsageError(
            f"{file} is damaged: it does not say which images it learned from ({error}). Write it "
            "anew, with graft export --format backbone."
        ) from error


def check_whole(record: BackboneRecord, weights_digest: str, file: str) -> None:
    """Checks that the weights are those that were written.

    Raises:
        UsageError: they are not.
    """
    if record.links[-1].weights_digest != weights_digest:
        raise UsageError(
            f"{file} is damaged: its weights are not those that it says it has. Write it anew, "
            "with graft export --format backbone."
        )
