"""Data sets with the features of all blocks, embedded once and kept."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve
from models.backbones import build_backbone
from models.data.example_schema import TEST
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder
from models.head.labelled_embeddings import LabelledEmbeddings

BACKBONE = "EfficientNetLite0"
_MOST_TRAINING, _MOST_TEST = 1600, 900
_TEST_SHARE = 0.4
_CHUNK = 512


@dataclass(frozen=True)
class Embedded:
    """A data set.

    Attributes:
        name: of its folder.
        features: float32 [n, d] of all blocks; the last output's come first.
        last: how many those are.
        classes: int [n].
        train: rows to draw training and validation images from.
        test: rows to judge on.
        paths: file of each row.
    """

    name: str
    features: NDArray[np.float32]
    last: int
    classes: NDArray[np.int64]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    paths: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of classes."""
        return int(self.classes.max()) + 1

    def labelled(self, rows: NDArray[np.int64]) -> LabelledEmbeddings:
        """Some rows, as heads are fitted to them."""
        return LabelledEmbeddings(self.features[rows], self.classes[rows])


def embed_set(data: str, size: int, cache: Path) -> Embedded:
    """Embeds at most 1,600 training and 900 test images of a folder, or reads what was kept.

    Args:
        data: folder with a folder per class, or with splits of these. Without a test split, two
            fifths are one.
        size: side in pixels.
        cache: folder for the features.
    """
    root = resolve(data)[-1].path
    files = list_source(root, IngestSettings()).files
    order = np.random.default_rng(0).permutation(len(files))
    has_test = any(file.split == TEST for file in files)
    is_test = [
        files[number].split == TEST if has_test else place < _TEST_SHARE * len(files)
        for place, number in enumerate(order)
    ]
    train = [number for number, test in zip(order, is_test, strict=True) if not test]
    test = [number for number, test in zip(order, is_test, strict=True) if test]
    chosen = [files[number] for number in (*train[:_MOST_TRAINING], *test[:_MOST_TEST])]
    labels, classes = np.unique([file.label for file in chosen], return_inverse=True)
    del labels
    border = min(len(train), _MOST_TRAINING)
    backbone = build_backbone(BACKBONE, "imagenet", size, features="all")
    key = hashlib.sha256("\n".join(file.path for file in chosen).encode()).hexdigest()[:16]
    kept = cache / f"{BACKBONE}-{size}-{key}.npy"
    if not kept.exists():
        embedder = Embedder(backbone, ImageSpec(size))
        chunks = [chosen[at : at + _CHUNK] for at in range(0, len(chosen), _CHUNK)]
        parts = [embedder.embed([Path(file.path).read_bytes() for file in part]) for part in chunks]
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.concatenate(parts))
    rows = np.arange(len(chosen))
    last = int(backbone.trunk.output_shape[-1])
    features = np.load(kept)
    paths = tuple(file.path for file in chosen)
    return Embedded(Path(data).name, features, last, classes, rows[:border], rows[border:], paths)
