"""What an exported model answers, in one pass, to images of the splits."""

import io
from collections.abc import Iterator, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.code_fingerprint import code_fingerprint
from components.exported_models.exported_model import Answers, ExportedModel
from components.exported_models.known_answers import AT_ONCE, KnownAnswers, Question, known_or_asked
from models import progress
from models.data import example_schema
from models.data.example_reader import ImageRecord, derived_features, read_records
from models.data.image_opening import open_image
from models.embedding.cache import content_digest
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
from models.observation.stress import Stress, as_arrays, stress_plan, stressed_bytes

_STRESSED_EACH: Final = 5
"""Times that an image is made worse at most."""
_SIDE: Final = 64
_QUALITY: Final = 72


@dataclass(frozen=True)
class _Answers:
    """Answers to the images of a split whose classes the model knows, [n] each."""

    records: list[ImageRecord]
    labels: NDArray[np.int32]
    given: Answers


def make_reference(
    model_uri: str, examples_uri: str, settings: MonitoringSettings, answers_dir: str = ""
) -> Reference:
    """Asks the exported model for images of all splits.

    Args:
        model_uri: directory of a Model artifact.
        examples_uri: directory of the Examples artifact that it was trained on.
        settings: how many images.
        answers_dir: see `components.judge.predicting.predict_columns`.

    Raises:
        GraftError: the model lacks the signature `monitored`, or answers with what is no number.
    """
    asked = _Asked(model_uri, examples_uri, answers_dir)
    few = settings.reference_images // 2
    training = asked.answers(
        example_schema.TRAIN, drawn_by_class(*asked.known(example_schema.TRAIN), few)
    )
    validation = asked.some(example_schema.VALIDATION, few)
    held_out = asked.some(example_schema.TEST, settings.reference_images)
    centre, directions = principal_directions(training.given.embeddings, MOST_DIRECTIONS)
    reference = Reference(
        classes=asked.classes,
        model_digest=asked.model_digest,
        # A model is too sure of images that it learned from, and was calibrated before it did.
        temperature=(
            1.0
            if asked.learned_from_validation
            else fitted_temperature(validation.given.probabilities, validation.labels)
        ),
        centre=centre,
        directions=directions,
        anchors=np.zeros((0, directions.shape[1]), np.float16),
        anchor_labels=np.zeros(0, np.int32),
        projections=np.zeros((len(held_out.labels), directions.shape[1]), np.float16),
        probabilities=held_out.given.probabilities.astype(np.float16),
        signals=held_out.given.signals,
        labels=held_out.labels,
        digests=tuple(record.sha256 for record in held_out.records),
        names=tuple(record.name for record in held_out.records),
        thumbnails=_pictures(held_out.records) if settings.reference_pictures else (),
    )
    stressed = asked.stressed(held_out, settings.stressed_images)
    return replace(
        reference,
        stressed=None if stressed is None else _stressed_answers(reference, stressed),
        anchors=reference.project(training.given.embeddings),
        anchor_labels=training.labels,
        projections=reference.project(held_out.given.embeddings),
    )


@dataclass(frozen=True)
class _Stressed:
    """Answers to images made worse on purpose, [m] each."""

    given: Answers
    labels: NDArray[np.int32]
    changes: NDArray[np.int32]
    strengths: NDArray[np.float32]


def _stressed_answers(reference: Reference, stressed: _Stressed) -> StressedAnswers:
    return StressedAnswers(
        projections=reference.project(stressed.given.embeddings),
        probabilities=stressed.given.probabilities.astype(np.float16),
        signals=stressed.given.signals,
        labels=stressed.labels,
        changes=stressed.changes,
        strengths=stressed.strengths,
    )


class _Asked:
    """An exported model, and the examples that it is asked about."""

    def __init__(self, model_uri: str, examples_uri: str, answers_dir: str) -> None:
        model = ExportedModel(model_uri)
        self.classes = model.classes
        self.model_digest = str(model.described.get("model_digest", ""))
        self.learned_from_validation = bool(model.described.get("learned_from_validation", False))
        self._known = KnownAnswers(model, answers_dir)
        self._examples_uri = examples_uri

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
        """Asks about the images of a split that have these digests, each once, in their order."""
        records = sorted(self._records(split, digests), key=lambda record: record.sha256)
        questions = [Question.about(record.image) for record in records]
        given = self._given(questions, f"answers of the {split} split")
        labels = class_indices([record.label for record in records], self.classes)
        return _Answers(records, labels.astype(np.int32), given)

    def stressed(self, held_out: _Answers, most: int) -> _Stressed | None:
        """Asks about held-out images made worse on purpose; None where none are wanted."""
        count = min(most, _STRESSED_EACH * len(held_out.records))
        if not count:
            return None
        rows = np.arange(count) % len(held_out.records)
        records = [held_out.records[row] for row in rows]
        turns = (np.arange(count) // len(held_out.records)).tolist()
        plan = stress_plan(
            f"{each.sha256} {turn}" for each, turn in zip(records, turns, strict=True)
        )
        questions = [_about(each.image, stress) for each, stress in zip(records, plan, strict=True)]
        return _Stressed(
            self._given(questions, "answers to images made worse"),
            held_out.labels[rows],
            *as_arrays(plan),
        )

    def _given(self, questions: Sequence[Question], what: str) -> Answers:
        given = known_or_asked(self._known, lambda known: _asked(known, questions, what))
        if not all(np.isfinite(each).all() for each in vars(given).values()):
            raise GraftError(f"The model gives {what} with what is no number.")
        return given


def _asked(known: KnownAnswers, questions: Sequence[Question], what: str) -> Answers:
    parts = []
    for at in range(0, max(len(questions), 1), AT_ONCE):
        some = questions[at : at + AT_ONCE]
        parts.append(known.ask(some))
        progress.report(at + len(some), len(questions), "images", what)
    return Answers(
        np.concatenate([each.probabilities for each in parts]),
        np.concatenate([each.embeddings for each in parts]),
        np.concatenate([each.signals for each in parts]),
    )


def _about(encoded: bytes, stress: Stress) -> Question:
    """A question about a picture made worse, which is made only where the answer is not known."""
    parts = code_fingerprint("models.observation.stress"), content_digest(encoded), stress
    return Question(content_digest(repr(parts).encode()), partial(stressed_bytes, encoded, stress))


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
