"""What an exported model answers, in one pass, to images of the splits."""

import io
import json
from collections.abc import Iterator, Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.artifact_names import SERVING_FOLDER
from models import progress
from models.data import example_schema
from models.data.example_reader import ImageRecord, derived_features, read_records
from models.data.image_opening import open_image
from models.errors import GraftError
from models.metrics import class_indices
from models.observation.make_reference import (
    drawn,
    drawn_by_class,
    fitted_temperature,
    principal_directions,
)
from models.observation.monitoring_settings import MonitoringSettings
from models.observation.reference import MOST_DIRECTIONS, Reference, StressedAnswers
from models.observation.stress import stress_plan, stressed_bytes
from models.storage.seals import DESCRIPTION

_BATCH: Final = 32
_STRESSED_EACH: Final = 5
"""Times that an image is made worse at most."""
_SIDE: Final = 64
_QUALITY: Final = 72
_SIGNATURE: Final = "monitored"


@dataclass(frozen=True)
class _Answers:
    """Answers to the images of a split whose classes the model knows, [n] each."""

    records: list[ImageRecord]
    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    signals: NDArray[np.float32]


def make_reference(model_uri: str, examples_uri: str, settings: MonitoringSettings) -> Reference:
    """Asks the exported model for images of all splits.

    Args:
        model_uri: directory of a Model artifact.
        examples_uri: directory of the Examples artifact that it was trained on.
        settings: how many images.

    Raises:
        GraftError: the model lacks the signature `monitored`, or answers with what is no number.
    """
    asked = _Asked(Path(model_uri) / SERVING_FOLDER, examples_uri)
    few = settings.reference_images // 2
    training = asked.answers(
        example_schema.TRAIN, drawn_by_class(*asked.known(example_schema.TRAIN), few)
    )
    validation = asked.some(example_schema.VALIDATION, few)
    held_out = asked.some(example_schema.TEST, settings.reference_images)
    centre, directions = principal_directions(training.embeddings, MOST_DIRECTIONS)
    reference = Reference(
        classes=asked.classes,
        model_digest=asked.model_digest,
        # A model is too sure of images that it learned from, and was calibrated before it did.
        temperature=(
            1.0
            if asked.learned_from_validation
            else fitted_temperature(validation.probabilities, validation.labels)
        ),
        centre=centre,
        directions=directions,
        anchors=np.zeros((0, directions.shape[1]), np.float16),
        anchor_labels=np.zeros(0, np.int32),
        projections=np.zeros((len(held_out.labels), directions.shape[1]), np.float16),
        probabilities=held_out.probabilities.astype(np.float16),
        signals=held_out.signals,
        labels=held_out.labels,
        digests=tuple(record.sha256 for record in held_out.records),
        names=tuple(record.name for record in held_out.records),
        thumbnails=_pictures(held_out.records) if settings.reference_pictures else (),
    )
    stressed = asked.stressed(held_out, settings.stressed_images)
    return replace(
        reference,
        stressed=None if stressed is None else _stressed_answers(reference, stressed),
        anchors=reference.project(training.embeddings),
        anchor_labels=training.labels,
        projections=reference.project(held_out.embeddings),
    )


@dataclass(frozen=True)
class _Stressed:
    """Answers to images made worse on purpose, [m] each."""

    outputs: dict[str, NDArray[np.float32]]
    labels: NDArray[np.int32]
    changes: NDArray[np.int32]
    strengths: NDArray[np.float32]


def _stressed_answers(reference: Reference, stressed: _Stressed) -> StressedAnswers:
    return StressedAnswers(
        projections=reference.project(stressed.outputs["embedding"]),
        probabilities=stressed.outputs["probabilities"].astype(np.float16),
        signals=stressed.outputs["image_signals"],
        labels=stressed.labels,
        changes=stressed.changes,
        strengths=stressed.strengths,
    )


class _Asked:
    """An exported model, and the examples that it is asked about."""

    def __init__(self, directory: Path, examples_uri: str) -> None:
        described = json.loads((directory / DESCRIPTION).read_text("utf-8"))
        self.classes: tuple[str, ...] = tuple(described["labels"])
        self.model_digest = str(described.get("model_digest", ""))
        self.learned_from_validation = bool(described.get("learned_from_validation", False))
        self._examples_uri = examples_uri
        # Keeps the loaded object: its signatures hold variables only weakly.
        self._loaded: Any = tf.saved_model.load(str(directory))
        if _SIGNATURE not in self._loaded.signatures:
            raise GraftError(f"The model in {directory} has no signature {_SIGNATURE}.")
        self._ask = self._loaded.signatures[_SIGNATURE]

    def known(self, split: str) -> tuple[list[str], list[str]]:
        """Digests of a split's images whose classes the model knows, and their classes."""
        columns = derived_features(self._examples_uri, split)
        pairs = zip(columns[example_schema.SHA256], columns[example_schema.LABEL], strict=True)
        kept = [(digest, label) for digest, label in pairs if label in self.classes]
        return [digest for digest, _ in kept], [label for _, label in kept]

    def some(self, split: str, most: int) -> _Answers:
        """Asks about images of a split that are drawn at random."""
        return self.answers(split, drawn(self.known(split)[0], most))

    def _records(self, split: str, digests: AbstractSet[str]) -> Iterator[ImageRecord]:
        left = set(digests)
        for record in read_records(self._examples_uri, split):
            if record.sha256 in left and record.label in self.classes:
                left.discard(record.sha256)
                yield record

    def answers(self, split: str, digests: AbstractSet[str]) -> _Answers:
        """Asks about the images of a split that have these digests, each once."""
        records = list(self._records(split, digests))
        arrays = self._outputs(
            (record.image for record in records), len(records), f"answers of the {split} split"
        )
        labels = class_indices([record.label for record in records], self.classes)
        return _Answers(
            records,
            labels.astype(np.int32),
            arrays["probabilities"],
            arrays["embedding"],
            arrays["image_signals"],
        )

    def stressed(self, held_out: _Answers, most: int) -> _Stressed | None:
        """Asks about held-out images made worse on purpose; None where none are wanted."""
        count = min(most, _STRESSED_EACH * len(held_out.records))
        if not count:
            return None
        changes, strengths = stress_plan(count)
        rows = np.arange(count) % len(held_out.records)
        images = (
            stressed_bytes(
                held_out.records[row].image, int(changes[place]), float(strengths[place]), place
            )
            for place, row in enumerate(rows.tolist())
        )
        outputs = self._outputs(images, count, "answers to images made worse")
        return _Stressed(outputs, held_out.labels[rows], changes, strengths)

    def _outputs(
        self, images: Iterator[bytes], count: int, what: str
    ) -> dict[str, NDArray[np.float32]]:
        parts: dict[str, list[NDArray[np.float32]]] = {
            name: [] for name in ("probabilities", "embedding", "image_signals")
        }
        done = 0
        while batch := list(islice(images, _BATCH)):
            outputs = self._ask(image_bytes=tf.constant(batch))
            for name, values in parts.items():
                values.append(outputs[name].numpy())
            done += len(batch)
            progress.report(done, count, "images", what)
        shapes = {name: self._ask.structured_outputs[name].shape[1] for name in parts}
        arrays = {
            name: np.concatenate([np.zeros((0, shapes[name]), np.float32), *values])
            for name, values in parts.items()
        }
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise GraftError(f"The model gives {what} with what is no number.")
        return arrays


def _pictures(records: list[ImageRecord]) -> tuple[bytes, ...]:
    """JPEG files of at most 64 pixels a side."""
    return tuple(_picture(record.image) for record in records)


def _picture(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with open_image(content) as image:
        small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()
