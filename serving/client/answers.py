"""What a model says about images, and the check of what came as such."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.client.errors import PredictionError

INPUT: Final = "image_bytes"
OUTPUTS: Final = ("probabilities", "class_ids", "labels")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says about one image.

    Attributes:
        labels: names of the most likely classes, at most five, most likely first.
        scores: their probabilities.
    """

    labels: tuple[str, ...]
    scores: tuple[float, ...]

    @property
    def label(self) -> str:
        """Name of the likeliest class."""
        return self.labels[0]

    @property
    def score(self) -> float:
        """Its probability."""
        return self.scores[0]


@dataclass(frozen=True)
class Predictions:
    """What a model says about n images.

    Attributes:
        probabilities: float32 [n, k], in the order of the model's labels.
        class_ids: int64 [n, t], positions of the most likely classes, most likely first.
        labels: for each image the names of these classes.
    """

    probabilities: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]

    @property
    def scores(self) -> NDArray[np.float32]:
        """Probabilities of the named classes, float32 [n, t]."""
        return np.take_along_axis(self.probabilities, self.class_ids, axis=1)

    def each(self) -> list[Answer]:
        """The answer to each image."""
        rows = zip(self.labels, self.scores.tolist(), strict=True)
        return [Answer(labels, tuple(scores)) for labels, scores in rows]


def predictions_of(outputs: Mapping[str, Any], who: str, images: int) -> Predictions:
    """Makes sure that an answer is one to what was asked.

    Args:
        outputs: name to value, nested lists or arrays.
        who: answers, in words, for the errors.
        images: that were sent, n.

    Raises:
        PredictionError: an output is missing, or has another form.
    """
    missing = [name for name in OUTPUTS if name not in outputs]
    if missing:
        raise PredictionError(f"{who} does not return {', '.join(missing)}: no model of Graft's.")
    try:
        answer = Predictions(
            np.asarray(outputs["probabilities"], dtype=np.float32),
            np.asarray(outputs["class_ids"], dtype=np.int64),
            tuple(tuple(map(_text, names)) for names in outputs["labels"]),
        )
        is_sound = _is_sound(answer)
    except (TypeError, ValueError, OverflowError):
        is_sound = False
    if not is_sound:
        raise PredictionError(f"{who} gives answers of another form: no model of Graft's.")
    if len(answer.labels) != images:
        raise PredictionError(f"{who} answered for {len(answer.labels)} of {images} images.")
    return answer


def _is_sound(answer: Predictions) -> bool:
    ids, probabilities = answer.class_ids, answer.probabilities
    if ids.ndim != 2 or probabilities.ndim != 2 or not ids.shape[1]:
        return False
    if len(ids) != len(probabilities) or [len(row) for row in answer.labels] != [
        ids.shape[1]
    ] * len(ids):
        return False
    return bool(((ids >= 0) & (ids < probabilities.shape[1])).all())


def _text(name: bytes | str) -> str:
    """A name as gRPC or as REST gives it."""
    if isinstance(name, bytes):
        return name.decode("utf-8")
    if not isinstance(name, str):
        raise TypeError(f"a name is text, not {type(name).__name__}")
    return name
