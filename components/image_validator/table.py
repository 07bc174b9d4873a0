"""The images of all splits as columns, without their pixels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data import example_schema
from models.data.example_reader import derived_features
from models.data.near_duplicates import Appearance, Tolerance, parse_hashes

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
        measures: what was measured of each image, by the name of the feature, [n] each.
        further: labels in each further column, object [n] of str, empty for none.
    """

    split: Texts
    label: Texts
    name: Texts
    sha256: Texts
    group: Texts
    look: Appearance
    measures: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    further: Mapping[str, Texts] = field(default_factory=dict)

    def names(self, rows: NDArray[Any]) -> list[str]:
        """Names of the images at `rows`, indices or a mask."""
        return [str(name) for name in self.name[rows]]

    @property
    def counts(self) -> dict[str, int]:
        """Class name to its number of images, in the order of the names."""
        return dict(sorted(Counter(self.label.tolist()).items()))

    @property
    def is_flat(self) -> NDArray[np.bool_]:
        """Which images have so little contrast that their hash is made of noise, bool [n]."""
        return self.look.brightness_std < Tolerance().least_contrast

    @property
    def pictures(self) -> NDArray[np.int64]:
        """A number for each picture, int64 [n], the same for the same pixels.

        Figures of the thumbnail stand for the pixels, whatever the bytes of the file are. Flat
        images all look alike: theirs are the same where the bytes are.
        """
        look = self.look
        columns = (look.brightness_mean, look.brightness_std, look.sharpness, look.aspect)
        figures = zip(look.phash.tolist(), *(each.tolist() for each in columns), strict=True)
        numbers: dict[object, int] = {}
        return np.array(
            [
                numbers.setdefault(sha256 if flat else shown, len(numbers))
                for flat, sha256, shown in zip(self.is_flat, self.sha256, figures, strict=True)
            ],
            dtype=np.int64,
        )

    def placed(self, row: int) -> str:
        """One image in words: its name, split and class."""
        return f'{self.name[row]!r} ({self.split[row]}, class "{self.label[row]}")'


def read_table(examples_uri: str, further: Sequence[str] = ()) -> ImageTable:
    """Reads the label and the derived features of every split.

    Args:
        examples_uri: directory of an Examples artifact.
        further: columns that hold labels too.
    """
    own = {name: example_schema.slice_feature(name) for name in further}
    splits = {
        split: derived_features(examples_uri, split, own.values())
        for split in example_schema.SPLITS
    }

    def column(key: str) -> np.ndarray[Any, Any]:
        return np.concatenate([columns[key] for columns in splits.values()])

    sizes = [len(columns[example_schema.NAME]) for columns in splits.values()]
    return ImageTable(
        split=np.repeat(np.array(example_schema.SPLITS, dtype=object), sizes),
        label=column(example_schema.LABEL),
        name=column(example_schema.NAME),
        sha256=column(example_schema.SHA256),
        group=column(example_schema.GROUP),
        look=Appearance(
            phash=parse_hashes(list(column(example_schema.PHASH))),
            brightness_mean=column(example_schema.BRIGHTNESS_MEAN),
            brightness_std=column(example_schema.BRIGHTNESS_STD),
            sharpness=column(example_schema.SHARPNESS),
            aspect=(column(example_schema.WIDTH) / column(example_schema.HEIGHT)).astype(
                np.float32
            ),
        ),
        measures={key: column(key) for key in example_schema.DERIVED},
        further={name: column(feature) for name, feature in own.items()},
    )
