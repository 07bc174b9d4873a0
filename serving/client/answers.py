"""What a model says about images, and the check of what came as such."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.client.errors import PredictionError

INPUT: Final = "image_bytes"
OUTPUTS: Final = ("probabilities", "class_ids", "labels")
"""Of the class; those of a further label column have its name and a slash before them."""
_OF_COLUMN: Final = "/probabilities"
CLASS_INPUT: Final = "class_id"
EXPLAINED: Final = "explained"
"""The signature that says where a class was seen."""
LIKELIEST: Final = -1
"""As a `class_id`: the class that the model answers."""
_MAPS: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says about one image.

    Attributes:
        labels: names of the most likely classes, at most five, most likely first.
        scores: their probabilities.
        further: answers in further label columns (`data.further_labels`), by the column.
    """

    labels: tuple[str, ...]
    scores: tuple[float, ...]
    further: Mapping[str, "Answer"] = field(default_factory=dict, kw_only=True)

    @property
    def label(self) -> str:
        """Name of the likeliest class."""
        return self.labels[0]

    @property
    def score(self) -> float:
        """Its probability."""
        return self.scores[0]


@dataclass(frozen=True, slots=True)
class ExplainedAnswer(Answer):
    """An answer, and where in the image the model saw the likeliest class.

    Attributes:
        heat: float32 [g, g] in 0..1, over the square that was seen: how much each place speaks for
            the class.
        seen: JPEG of that square.
    """

    heat: NDArray[np.float32]
    seen: bytes


@dataclass(frozen=True)
class Predictions:
    """What a model says about n images.

    Attributes:
        probabilities: float32 [n, k], in the order of the model's labels.
        class_ids: int64 [n, t], positions of the most likely classes, most likely first.
        labels: for each image the names of these classes.
        further: the same of further label columns, by the column.
    """

    probabilities: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]
    further: Mapping[str, "Predictions"] = field(default_factory=dict)

    @property
    def scores(self) -> NDArray[np.float32]:
        """Probabilities of the named classes, float32 [n, t]."""
        return np.take_along_axis(self.probabilities, self.class_ids, axis=1)

    def each(self) -> list[Answer]:
        """The answer to each image."""
        rows = enumerate(zip(self.labels, self.scores.tolist(), strict=True))
        further = {column: told.each() for column, told in self.further.items()}
        return [
            Answer(
                labels,
                tuple(scores),
                further={column: answers[row] for column, answers in further.items()},
            )
            for row, (labels, scores) in rows
        ]


def predictions_of(outputs: Mapping[str, Any], who: str, images: int) -> Predictions:
    """Makes sure that an answer is one to what was asked.

    Args:
        outputs: name to value, nested lists or arrays.
        who: answers, in words, for the errors.
        images: that were sent, n.

    Raises:
        PredictionError: an output is missing, or has another form.
    """
    columns = [name.removesuffix(_OF_COLUMN) for name in outputs if name.endswith(_OF_COLUMN)]
    further = {column: _of_column(outputs, f"{column}/", who, images) for column in columns}
    return replace(_of_column(outputs, "", who, images), further=further)


def _of_column(outputs: Mapping[str, Any], prefix: str, who: str, images: int) -> Predictions:
    """What is said of the class or, where the outputs' names have a prefix, of another column."""
    named = [prefix + name for name in OUTPUTS]
    missing = [name for name in named if name not in outputs]
    if missing:
        raise PredictionError(
            f"{who} does not return {', '.join(missing)}: no model of Graft's, or one of version "
            "0.1.0, in whose place `graft run` pushes a newer one."
        )
    given, ids, labels = (outputs[name] for name in named)
    try:
        with np.errstate(over="ignore"):  # to infinity, which is refused
            probabilities = np.asarray(given, dtype=np.float32)
        answer = Predictions(
            probabilities,
            np.asarray(ids, dtype=np.int64),
            tuple(tuple(map(_text, names)) for names in labels),
        )
        is_sound = _is_sound(answer)
    except (TypeError, ValueError, OverflowError):
        is_sound = False
    if not is_sound:
        raise PredictionError(f"{who} gives answers of another form: no model of Graft's.")
    if len(answer.labels) != images:
        raise PredictionError(f"{who} answered for {len(answer.labels)} of {images} images.")
    return answer


def explained_answers(outputs: Mapping[str, Any], who: str, images: int) -> list[ExplainedAnswer]:
    """Makes sure that an answer of the signature `explained` is one to what was asked.

    Takes and raises what `predictions_of` does.
    """
    answers = predictions_of(outputs, who, images).each()
    try:
        with np.errstate(over="ignore"):
            heat = np.asarray(outputs["heat"], dtype=np.float32)
        seen = [_bytes(each) for each in outputs["seen_bytes"]]
        is_sound = heat.ndim == _MAPS and len(heat) == len(seen) == images
        is_sound = is_sound and bool(((heat >= 0) & (heat <= 1)).all())
    except (KeyError, TypeError, ValueError, OverflowError):
        is_sound = False
    if not is_sound:
        raise PredictionError(f"{who} does not say where it saw what it answers.")
    return [
        ExplainedAnswer(
            answer.labels, answer.scores, heat[place], seen[place], further=answer.further
        )
        for place, answer in enumerate(answers)
    ]


def _bytes(value: Any) -> bytes:
    """Bytes as gRPC or as REST gives them."""
    return value if isinstance(value, bytes) else base64.b64decode(value["b64"], validate=True)


def _is_sound(answer: Predictions) -> bool:
    ids, probabilities = answer.class_ids, answer.probabilities
    if ids.ndim != 2 or probabilities.ndim != 2 or not ids.shape[1]:
        return False
    named = [len(row) for row in answer.labels]
    if len(ids) != len(probabilities) or named != [ids.shape[1]] * len(ids):
        return False
    is_in_range = (ids >= 0) & (ids < probabilities.shape[1])
    return bool(is_in_range.all() and np.isfinite(probabilities).all())


def _text(name: bytes | str) -> str:
    """A name as gRPC or as REST gives it."""
    if isinstance(name, bytes):
        return name.decode("utf-8")
    if not isinstance(name, str):
        raise TypeError(f"a name is text, not {type(name).__name__}")
    return name
