"""Data sets, clean and corrupted, as the frozen backbone sees them; computed once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from corruptions import COLOURS, KEPT_BACK, SHOWN, corrupt
from numpy.typing import NDArray

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding.forward import Embedder
from models.export.image_signals import image_signals
from pipeline.demo import write_digits

BACKBONE = "EfficientNetLite0"
CLEAN = "clean"
_MOST_TRAINING, _MOST_HELD_OUT, _MOST_CORRUPTED = 1000, 2500, 400
_CHUNK = 256


@dataclass(frozen=True)
class EmbeddedImages:
    """Images of one kind.

    Attributes:
        features: float16 [n, d].
        signals: float32 [n, 5].
        labels: int [n].
    """

    features: NDArray[np.float16]
    signals: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> "EmbeddedImages":
        return EmbeddedImages(self.features[rows], self.signals[rows], self.labels[rows])


class ImageSet:
    """A data set.

    Attributes:
        name: of its folder.
        kinds: of corruption that change its images.
    """

    def __init__(self, data: str, size: int, cache: Path) -> None:
        """Lists the images; a third, at most 1,000, are to train on.

        Args:
            data: folder with a folder per class, whose own splits do not count; or `digits`.
            size: side in pixels.
            cache: folder for what is computed.
        """
        if data == "digits":
            data = str(cache / "digits")
            write_digits(Path(data))
        files = list_source(resolve(data)[-1].path, IngestSettings()).files
        order = np.random.default_rng(0).permutation(len(files))
        self.name = Path(data).name
        self._size, self._cache = size, cache / f"{self.name}-{size}"
        self._paths = [Path(files[number].path) for number in order]
        names = np.unique([file.label for file in files])
        self._labels = np.searchsorted(names, [files[number].label for number in order])
        self.classes = tuple(str(name) for name in names)
        self._training = min(len(files) // 3, _MOST_TRAINING)
        self._embedder: Embedder | None = None
        held_out = self.held_out(CLEAN)
        grey = bool(np.median(held_out.signals[:, 3]) < 0.005)
        self.kinds = [kind for kind in (*SHOWN, *KEPT_BACK) if not (grey and kind in COLOURS)]

    def training(self) -> EmbeddedImages:
        """Those that the model is trained on."""
        return self._embedded(CLEAN)[: self._training]

    def held_out(self, kind: str) -> EmbeddedImages:
        """The others, clean (at most 2,500) or corrupted (the first 400 of these)."""
        if kind == CLEAN:
            return self._embedded(CLEAN)[slice(self._training, None)]
        return self._embedded(kind)

    def _embedded(self, kind: str) -> EmbeddedImages:
        kept = self._cache / f"{kind}.npz"
        if not kept.exists():
            start = 0 if kind == CLEAN else self._training
            length = _MOST_HELD_OUT + self._training if kind == CLEAN else _MOST_CORRUPTED
            rows = range(start, min(start + length, len(self._paths)))
            features, signals = self._compute(kind, rows)
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(".partial.npz")
            np.savez(partial, features=features, signals=signals, labels=self._labels[rows])
            partial.rename(kept)
        with np.load(kept) as arrays:
            return EmbeddedImages(arrays["features"], arrays["signals"], arrays["labels"])

    def _compute(
        self, kind: str, rows: Sequence[int]
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        spec = ImageSpec(self._size)
        if self._embedder is None:
            backbone = build_backbone(BACKBONE, "imagenet", self._size, features="all")
            self._embedder = Embedder(backbone, spec)
        features, signals = [], []
        for at in range(0, len(rows), _CHUNK):
            images = [self._encoded(row, kind) for row in rows[at : at + _CHUNK]]
            features.append(self._embedder.embed(images).astype(np.float16))
            pixels = tf.stack([decode_and_resize(tf.constant(image), spec) for image in images])
            signals.append(image_signals(pixels).numpy())
        return np.concatenate(features), np.concatenate(signals)

    def _encoded(self, row: int, kind: str) -> bytes:
        encoded = self._paths[row].read_bytes()
        return encoded if kind == CLEAN else corrupt(encoded, kind, np.random.default_rng(row))
