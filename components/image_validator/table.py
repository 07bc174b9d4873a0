"""The images of all splits as columns, without their pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import features
from models.duplicates import Appearance, parse_hashes
from models.examples import derived_features

Texts = np.ndarray[Any, Any]
"""Object array [n] of str."""


@dataclass(frozen=True, slots=True)
class ImageTable:
    """One row an image, the training split first.

    Attributes:
        split: object [n] of str.
        label: object [n] of str.
        name: object [n] of str.
        sha256: object [n] of str, digest of the bytes as supplied.
        group: object [n] of str, empty for none.
        look: what near-duplicates are found by.
    """

    split: Texts
    label: Texts
    name: Texts
    sha256: Texts
    group: Texts
    look: Appearance

    def names(self, rows: NDArray[Any]) -> list[str]:
        """Names of the images at `rows`, indices or a mask."""
        return [str(name) for name in self.name[rows]]

    def labels_in(self, split: str) -> set[str]:
        """Class names that occur in a split."""
        return set(self.label[self.split == split])

    def placed(self, row: int) -> str:
        """One image in words: its name, split and class."""
        return f'{self.name[row]!r} ({self.split[row]}, class "{self.label[row]}")'


def read_table(examples_uri: str) -> ImageTable:
    """Reads the label and the derived features of every split."""
    splits = {split: derived_features(examples_uri, split) for split in features.SPLITS}

    def column(key: str) -> np.ndarray[Any, Any]:
        return np.concatenate([columns[key] for columns in splits.values()])

    sizes = [len(columns[features.NAME]) for columns in splits.values()]
    return ImageTable(
        split=np.repeat(np.array(features.SPLITS, dtype=object), sizes),
        label=column(features.LABEL),
        name=column(features.NAME),
        sha256=column(features.SHA256),
        group=column(features.GROUP),
        look=Appearance(
            phash=parse_hashes(list(column(features.PHASH))),
            brightness_mean=column(features.BRIGHTNESS_MEAN),
            brightness_std=column(features.BRIGHTNESS_STD),
            sharpness=column(features.SHARPNESS),
            aspect=(column(features.WIDTH) / column(features.HEIGHT)).astype(np.float32),
        ),
    )
