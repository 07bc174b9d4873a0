"""What an example says of an image beside its bytes, remembered from run to run.

To decode an image and to measure the picture takes most of the time of ingest, and comes to the
same each time. What is remembered goes by the digest of the bytes, and is used only where the bytes
that are read have it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from models.data.image_statistics import describe
from models.data.normalisation import NormalisedImage
from models.storage.seals import read_sealed, write_sealed

NONE: Final[Mapping[str, "Measures"]] = {}
"""Nothing is remembered."""


class Measures(NamedTuple):
    """Of one image; the names are those of `models.data.example_schema`."""

    format: str
    width: int
    height: int
    channels: int
    brightness_mean: float
    brightness_std: float
    sharpness: float
    phash: str

    @classmethod
    def of(cls, image: NormalisedImage) -> "Measures":
        """Measures the picture."""
        told = describe(image.thumbnail)
        return cls(
            image.format,
            image.width,
            image.height,
            image.channels,
            told.brightness_mean,
            told.brightness_std,
            told.sharpness,
            told.phash,
        )


class MeasuresMemory:
    """Measures of the images of one source that were taken as they are, in one file."""

    def __init__(self, directory: str, source: str, code: str, max_pixels: int) -> None:
        """Opens the memory of one source.

        Args:
            directory: where the memory lies; empty for none.
            source: its path, which names its memory; without what differs from span to span.
            code: digest of the code that measures; what another one measured is forgotten.
            max_pixels: images with more are refused; what another bound let pass is forgotten.
        """
        key = hashlib.sha256(os.fsencode(source)).hexdigest()[:16]
        self._file = Path(directory) / f"measures-{key}.json" if directory else None
        self._by = [code, max_pixels]
        self.known: Mapping[str, Measures] = self._load() if self._file else NONE

    def remember(self, measures: Mapping[str, Measures]) -> None:
        """Keeps these, and no others.

        Args:
            measures: by the digest of the image's bytes, hex.

        Raises:
            OSError: the memory cannot be written.
        """
        if self._file and measures != self.known:
            rows = [[digest, *each] for digest, each in sorted(measures.items())]
            text = json.dumps([self._by, rows], separators=(",", ":"))
            write_sealed(self._file, text.encode())

    def _load(self) -> Mapping[str, Measures]:
        assert self._file is not None
        try:
            by, rows = json.loads(read_sealed(self._file) or b"")
        except ValueError:  # absent or damaged: it is only a memory
            return NONE
        return {digest: Measures(*each) for digest, *each in rows} if by == self._by else NONE
