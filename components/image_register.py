"""Which image lay in which split, under which class: what later runs need to know of earlier ones.

Names change and files move, so an image is known by the SHA-256 of its bytes.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.data import example_schema
from models.storage.seals import read_sealed, write_sealed

REGISTER_FILE: Final = "images.register"
"""In an Examples artifact, and where the last accepted classes are remembered."""

Digest = bytes
"""The 32 bytes of a SHA-256."""


@dataclass(frozen=True)
class ImageRegister:
    """The images of one data set.

    Attributes:
        digests: of the files' bytes, uint8 [n, 32].
        splits: place of each image's split in `example_schema.SPLITS`, uint8 [n].
        labels: place of each image's class in `classes`, int32 [n].
        classes: class names.
    """

    digests: NDArray[np.uint8]
    splits: NDArray[np.uint8]
    labels: NDArray[np.int32]
    classes: tuple[str, ...]

    @classmethod
    def of(cls, images: Iterable[tuple[str, str, str]]) -> "ImageRegister":
        """Registers images.

        Args:
            images: of each its digest (64 hex digits), its split and its class.
        """
        rows = list(images)
        classes = tuple(sorted({label for _, _, label in rows}))
        number = {label: index for index, label in enumerate(classes)}
        digests = b"".join(bytes.fromhex(digest) for digest, _, _ in rows)
        return cls(
            np.frombuffer(digests, np.uint8).reshape(len(rows), 32),
            np.array([example_schema.SPLITS.index(split) for _, split, _ in rows], np.uint8),
            np.array([number[label] for _, _, label in rows], np.int32),
            classes,
        )

    def only(self, *splits: str) -> "ImageRegister":
        """The images of some splits, of all classes."""
        wanted = [example_schema.SPLITS.index(split) for split in splits]
        rows = np.isin(self.splits, wanted)
        return ImageRegister(self.digests[rows], self.splits[rows], self.labels[rows], self.classes)

    def in_splits(self, *splits: str) -> frozenset[Digest]:
        """The digests of the images of some splits."""
        return frozenset(row.tobytes() for row in self.only(*splits).digests)

    def counts(self) -> dict[str, int]:
        """Class to its number of images."""
        numbers = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))

    def by_class(self) -> dict[Digest, str]:
        """The class of each image; of one that lies under several, the last."""
        pairs = zip(self.digests, self.labels.tolist(), strict=True)
        return {row.tobytes(): self.classes[label] for row, label in pairs}

    def save(self, path: Path) -> None:
        """Writes the register, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        content = io.BytesIO()
        np.savez(
            content,
            digests=self.digests,
            splits=self.splits,
            labels=self.labels,
            classes=np.array(self.classes, str),
        )
        write_sealed(path, content.getvalue())


def read_register(folder: Path) -> ImageRegister | None:
    """Reads the register of a folder; None where there is none, or a damaged one."""
    content = read_sealed(folder / REGISTER_FILE)
    if content is None:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        values: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    classes = tuple(str(name) for name in values.pop("classes"))
    return ImageRegister(**values, classes=classes)
