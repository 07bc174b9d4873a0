"""Served models on real images, and what they answer to images that changed; kept from run to run.

A data set is put in a random order. The first images train a linear head on the features of
EfficientNet-Lite0; all others are held out: the first `live` of these are what is sent to the
server, as they are or changed, and the rest may be the reference's. All are exchangeable.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from graded_changes import corrupted
from numpy.typing import NDArray
from PIL import Image
from scipy.special import softmax
from sklearn.datasets import load_digits

from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, compiled_decoding
from models.embedding.forward import Embedder
from models.export.image_signals import image_signals
from models.head.linear_head import fit_linear
from models.observation.reference import MOST_DIRECTIONS, Reference, StressedAnswers
from models.observation.reference_size import MOST_STRESSED
from models.observation.stress import as_arrays, stress_plan, stressed
from models.temperature import best_temperature
from monitoring.observations import Observations

MOST_LIVE: Final = 800
"""Images at most that are sent changed."""
MOST_HELD_OUT: Final = 2_500
MOST_TRAINING: Final = 1_600
SIDE: Final = 64
_TRAINING_SHARE: Final = 0.4
_LIVE_SHARE: Final = 0.5
_VALIDATION_SHARE: Final = 0.15
_LONGEST: Final = 128
_BATCH: Final = 64
_TOP: Final = 5
_IMAGES: Final = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Answers:
    """What the served model answers to n images.

    Attributes:
        probabilities: float32 [n, k], as served.
        embeddings: float16 [n, c], the projections.
        signals: float32 [n, 5].
        labels: int32 [n].
        digests: hex [n].
    """

    probabilities: NDArray[np.float32]
    projections: NDArray[np.float16]
    signals: NDArray[np.float32]
    labels: NDArray[np.int32]
    digests: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Any) -> "Answers":
        return Answers(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


class ServedSet:
    """A data set, and the model that serves it.

    Attributes:
        name: of the data set.
        classes: names of the classes.
        live: how many held-out images are sent changed, the first ones.
        is_grey: whether most images have no colour.
        held_out: answers to all held-out images, unchanged.
    """

    def __init__(self, data: str, cache: Path, without: str | None = None, draw: int = 0) -> None:
        """Trains the head, or reads it.

        Args:
            data: "digits" (scikit-learn's), or a folder with a folder per class, in splits or not.
            cache: folder that keeps what was computed.
            without: class that the model does not know: its held-out images have the label -1.
            draw: of what is done to the pictures that are made worse on purpose.
        """
        self.name = Path(data).name
        images = _digits() if data == "digits" else _folder(Path(data))
        order = np.random.default_rng(0).permutation(len(images))
        images = [images[place] for place in order]
        border = min(int(_TRAINING_SHARE * len(images)), MOST_TRAINING)
        training = [each for each in images[:border] if each[1] != without]
        self.classes = tuple(sorted({label for _, label in images if label != without}))
        self._images = images[border:][:MOST_HELD_OUT]
        self.live = min(MOST_LIVE, int(_LIVE_SHARE * len(self._images)))
        self._cache = cache / (f"{self.name}-{SIDE}" + (f"-without-{without}" if without else ""))
        self._cache.mkdir(parents=True, exist_ok=True)
        self._draw = draw
        self._embedder: Embedder | None = None
        self._head = self._kept("head", lambda: self._fit(training))
        self._labels = self._numbers(self._images)
        self.held_out = self._answers("clean", self._images)
        self.is_grey = bool(np.median(self.held_out.signals[:, 3]) < 0.005)

    def answers(self, shift: str) -> Answers:
        """Answers to the first `live` held-out images, changed; see `graded_changes.corrupted`."""
        if shift == "clean":
            return self.held_out[: self.live]
        return self._answers(shift, self._images[: self.live])

    def _answers(self, shift: str, images: list[tuple[Any, str]]) -> Answers:
        return Answers(**self._kept(f"{shift}-{len(images)}", lambda: self._answer(images, shift)))

    def pictures(self, rows: NDArray[np.integer]) -> Iterator[Image.Image]:
        """The held-out pictures at some places, as they are."""
        return (_opened(self._images[row][0]) for row in rows)

    def stressed(self) -> StressedAnswers:
        """Answers to the held-out images that are never sent, made worse on purpose."""
        spare = len(self._images) - self.live
        count = min(MOST_STRESSED, 5 * spare)
        names = (f"{self._draw} {number}" if self._draw else str(number) for number in range(count))
        plan = stress_plan(names)
        changes, strengths = as_arrays(plan)
        rows = self.live + np.arange(count) % spare
        pictures = map(stressed, self.pictures(rows), plan)
        name = f"stressed-ranked-{self._draw}" if self._draw else "stressed-ranked"
        kept = self._kept(name, lambda: self._answered(pictures, self._labels[rows]))
        known = kept["labels"] >= 0
        return StressedAnswers(
            projections=kept["projections"][known],
            probabilities=kept["probabilities"][known].astype(np.float16),
            signals=kept["signals"][known],
            labels=kept["labels"][known],
            changes=changes[known],
            strengths=strengths[known],
        )

    def reference(self) -> Reference:
        """A reference of the held-out images that are never sent changed, and of them stressed."""
        rows = np.arange(self.live, len(self.held_out))
        return replace(self.reference_of(rows), stressed=self.stressed())

    def reference_of(self, rows: NDArray[np.integer]) -> Reference:
        """A reference of some held-out images, all of classes that the model knows."""
        chosen = self.held_out[rows]
        head = self._head
        return Reference(
            classes=self.classes,
            model_digest="0" * 64,
            temperature=float(head["temperature"]),
            centre=head["centre"],
            directions=head["directions"],
            anchors=head["anchors"],
            anchor_labels=head["anchor_labels"],
            projections=chosen.projections,
            probabilities=chosen.probabilities.astype(np.float16),
            signals=chosen.signals,
            labels=chosen.labels,
            digests=tuple(chosen.digests.tolist()),
            names=tuple(chosen.digests.tolist()),
        )

    def _numbers(self, images: list[tuple[Any, str]]) -> NDArray[np.int32]:
        """Classes by the model's outputs; -1 for one that it does not know."""
        known = {label: number for number, label in enumerate(self.classes)}
        return np.array([known.get(label, -1) for _, label in images], np.int32)

    def _kept(self, name: str, make: Any) -> dict[str, Any]:
        path = self._cache / f"{name}.npz"
        if not path.exists():
            made = make()
            partial = path.with_suffix(".part.npz")
            np.savez(partial, **made)
            partial.rename(path)
        with np.load(path) as arrays:
            return dict(arrays)

    def _fit(self, images: list[tuple[Any, str]]) -> dict[str, Any]:
        features = np.concatenate(
            [each for each, _ in self._embedded(_opened(image) for image, _ in images)]
        )
        mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
        standard = (features - mean) / spread
        labels = self._numbers(images)
        border = int((1 - _VALIDATION_SHARE) * len(features))
        train, validation = slice(0, border), slice(border, None)
        weights = np.ones(len(self.classes), np.float32)
        head = fit_linear(
            standard[train], labels[train], standard[validation], labels[validation], weights
        )
        logits = standard[validation] @ head.kernel + head.bias
        directions = _directions(features - mean)
        projected = ((features - mean) @ directions).astype(np.float16)
        return {
            "mean": mean,
            "spread": spread,
            "kernel": head.kernel,
            "bias": head.bias,
            "temperature": best_temperature(logits, labels[validation]),
            "centre": mean,
            "directions": directions,
            "anchors": projected,
            "anchor_labels": labels,
        }

    def _answer(self, images: list[tuple[Any, str]], shift: str) -> dict[str, Any]:
        random = np.random.default_rng(list(shift.encode()))
        pictures = (corrupted(_opened(image), shift, random) for image, _ in images)
        return self._answered(pictures, self._labels[: len(images)])

    def _answered(
        self, pictures: Iterator[Image.Image], labels: NDArray[np.int32]
    ) -> dict[str, Any]:
        digests: list[str] = []
        kept = list(self._embedded(pictures, digests))
        features = np.concatenate([each for each, _ in kept])
        head = self._head
        logits = (features - head["mean"]) / head["spread"] @ head["kernel"] + head["bias"]
        projections = (features - head["centre"]) @ head["directions"]
        return {
            "probabilities": softmax(logits, axis=1).astype(np.float32),
            "projections": np.clip(projections, -6e4, 6e4).astype(np.float16),
            "signals": np.concatenate([each for _, each in kept]),
            "labels": labels,
            "digests": np.array(digests),
        }

    def _embedded(
        self, pictures: Iterator[Image.Image], digests: list[str] | None = None
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        spec = ImageSpec(SIDE)
        decode = compiled_decoding(spec)
        if self._embedder is None:
            backbone = build_backbone("EfficientNetLite0", "imagenet", SIDE, features="all")
            self._embedder = Embedder(backbone, spec)
        batch: list[Any] = []
        for picture in pictures:
            encoded = _encoded(picture)
            if digests is not None:
                digests.append(hashlib.sha256(encoded).hexdigest())
            batch.append(decode(tf.constant(encoded)))
            if len(batch) == _BATCH:
                yield self._forward(batch)
                batch = []
        if batch:
            yield self._forward(batch)

    def _forward(self, batch: list[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert self._embedder is not None
        pixels = tf.stack(batch)
        return self._embedder.forward(pixels).numpy(), image_signals(pixels).numpy()


def observations(
    reference: Reference, answers: Answers, start: float = 1.7e9, spacing: float = 1.0
) -> Observations:
    """Answers as the monitor reads them from the log, one each `spacing` seconds."""
    n = len(answers)
    served = answers.probabilities
    top = np.argsort(-served, axis=1, kind="stable")[:, :_TOP].astype(np.int32)
    calibrated = softmax(np.log(np.maximum(served, 1e-30)) / reference.temperature, axis=1)
    return Observations(
        times=start + spacing * np.arange(n, dtype=np.float64),
        request_ids=np.array([f"r{row}-{start}" for row in range(n)], object),
        rows=np.zeros(n, np.int32),
        digests=answers.digests.astype(object),
        class_ids=top[:, 0],
        top_ids=top,
        top_probabilities=np.take_along_axis(served, top, axis=1),
        confidences=calibrated.max(axis=1).astype(np.float32),
        entropies=-(served * np.log(np.maximum(served, 1e-30))).sum(axis=1),
        signals=answers.signals,
        projections=answers.projections,
        weights=np.ones(n, np.float32),
    )


def _directions(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Principal directions, each divided by the spread along it."""
    squares, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    widest = slice(None, -MOST_DIRECTIONS - 1, -1)
    directions = centred.T @ (axes[:, widest] / squares[widest])
    return (directions * len(centred) ** 0.5).astype(np.float32)


def _digits() -> list[tuple[Any, str]]:
    digits = load_digits()
    images = (digits.images * 15.9).astype(np.uint8)
    return [(image, str(label)) for image, label in zip(images, digits.target, strict=True)]


def _folder(root: Path) -> list[tuple[Any, str]]:
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _IMAGES)
    return [(path, path.parent.name) for path in paths]


def _opened(image: Any) -> Image.Image:
    picture = Image.open(image) if isinstance(image, Path) else Image.fromarray(image)
    picture = picture.convert("RGB")
    picture.thumbnail((_LONGEST, _LONGEST))
    return picture


def _encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
