"""A linear head on the frozen backbone, and what it answers to images of a set."""

from dataclasses import dataclass, fields, replace

import numpy as np
from embedded_images import CLEAN, EmbeddedImages, ImageSet
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.observation.reference import MOST_DIRECTIONS, Reference
from models.observation.reference_size import MOST_IMAGES
from monitoring.observations import Observations

_VALIDATION_SHARE = 0.15
_TOP = 5


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model says of images, held out all of them.

    Attributes:
        observations: n images, with a digest each.
        probabilities: float32 [n, k].
        labels: right classes, int [n]; -1 for one that the model does not know.
    """

    observations: Observations
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.integer]) -> "Answers":
        return Answers(self.observations[rows], self.probabilities[rows], self.labels[rows])


class ServedModel:
    """A model for one set.

    Attributes:
        name: of the set.
        kinds: of corruption that change its images.
    """

    def __init__(self, images: ImageSet, without: int | None = None) -> None:
        """Trains the head.

        Args:
            images: the set.
            without: a class that the model does not know.
        """
        self._images, self._without = images, without
        self.name, self.kinds = images.name, images.kinds
        names = images.classes
        self._classes = tuple(name for at, name in enumerate(names) if at != without)
        training = images.training()
        training = training[training.labels != (-1 if without is None else without)]
        features = training.features.astype(np.float32)
        labels = self._known(training.labels)
        border = round(_VALIDATION_SHARE * len(labels))
        task = HeadTask(
            LabelledEmbeddings(features[border:], labels[border:]),
            LabelledEmbeddings(features[:border], labels[:border]),
            len(self._classes),
        )
        self._head = fit_frozen_head(task).model
        logits = self._logits(features[:border])
        self._temperature = _temperature(logits, labels[:border])
        self._centre = features.mean(axis=0)
        _, widths, axes = np.linalg.svd(features - self._centre, full_matrices=False)
        count = min(MOST_DIRECTIONS, len(features) - 1)
        spreads = widths[:count] / np.sqrt(len(features))
        self._directions = (axes[:count] / spreads[:, None]).T.astype(np.float32)
        self._anchors = self._project(features)[:MOST_IMAGES]
        self._anchor_labels = labels[:MOST_IMAGES].astype(np.int32)
        self._answers: dict[str, Answers] = {}

    def held_out(self, kind: str = CLEAN) -> Answers:
        """What it answers to the held-out images, as `ImageSet.held_out` has them."""
        if kind not in self._answers:
            self._answers[kind] = self._answer(self._images.held_out(kind), kind)
        return self._answers[kind]

    def reference(self, answers: Answers) -> Reference:
        """A reference of some held-out images whose classes the model knows."""
        seen = answers.observations
        return Reference(
            classes=self._classes,
            model_digest=self.name,
            temperature=self._temperature,
            centre=self._centre,
            directions=self._directions,
            anchors=self._anchors,
            anchor_labels=self._anchor_labels,
            projections=seen.projections,
            probabilities=answers.probabilities.astype(np.float16),
            signals=seen.signals,
            labels=answers.labels.astype(np.int32),
            digests=tuple(seen.digests),
            names=tuple(seen.digests),
        )

    def _answer(self, images: EmbeddedImages, kind: str) -> Answers:
        features = images.features.astype(np.float32)
        logits = self._logits(features)
        served = softmax(logits, axis=1).astype(np.float32)
        confidences = softmax(logits / self._temperature, axis=1).max(axis=1)
        top = np.argsort(-served, axis=1, kind="stable")[:, :_TOP].astype(np.int32)
        logs = np.log(np.maximum(served, np.finfo(np.float32).tiny))
        digests = np.array([f"{kind}-{row}".encode().hex() for row in range(len(served))], object)
        observations = Observations(
            times=np.zeros(len(served)),
            request_ids=digests,
            rows=np.zeros(len(served), np.int32),
            digests=digests,
            class_ids=top[:, 0],
            top_ids=top,
            top_probabilities=np.take_along_axis(served, top, axis=1),
            confidences=confidences.astype(np.float32),
            entropies=-(served * logs).sum(axis=1),
            signals=images.signals,
            projections=self._project(features),
            weights=np.ones(len(served), np.float32),
        )
        return Answers(observations, served, self._known(images.labels))

    def _known(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classes by the model's outputs."""
        if self._without is None:
            return labels
        return np.where(labels == self._without, -1, labels - (labels > self._without))

    def _logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._head.predict(features, batch_size=1024, verbose=0).astype(np.float64)

    def _project(self, features: NDArray[np.float32]) -> NDArray[np.float16]:
        return ((features - self._centre) @ self._directions).astype(np.float16)


def joined(parts: list[Observations]) -> Observations:
    """A stream of images that are all different, one a second."""
    whole = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Observations)
    }
    count = len(whole["times"])
    digests = np.array([f"{number:016x}".ljust(64, "0") for number in range(1, count + 1)], object)
    stream = Observations(**whole)
    return replace(stream, times=np.arange(count, dtype=np.float64), digests=digests)


def _temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits * np.exp(-log_temperature), axis=1)
        return -float(scaled[rows, labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))
