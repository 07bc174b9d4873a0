"""What exported models made of images, kept from run to run.

Models that were trained on the same frozen backbone differ in their heads alone. What the rest of
an export makes of an image, by decoding, backbone and measures of the picture, is the same for all
of them, and has a name in what they say of themselves. So of an image that a model of that name was
asked about, only the head is left to compute. Of all images, known or not, some go through the
whole export nevertheless, and where its answers are other ones, nothing is taken for known.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from components.artifact_names import BODY, HEAD_FILE, further_head_file
from components.exported_models.exported_model import Answers, ExportedModel
from models.embedding.cache import EmbeddingStore, content_digest
from models.head.head_model import read_head
from models.observation.signal_names import IMAGE_SIGNALS

AT_ONCE: Final = 256
"""Images that are asked about together; each time makes a file in the store."""
_ONE_OF: Final = 16
"""Of so many images one goes through the whole export."""
_TOLERANCE: Final = 1e-3
"""What probabilities may differ by: rounding is far below, another model far above."""

T = TypeVar("T")
_Columns = tuple[NDArray[np.float32], ...]
"""Probabilities of the class, and of each further label column."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """An image to be asked about.

    Attributes:
        key: names its bytes.
        image: gives them, encoded.
    """

    key: str
    image: Callable[[], bytes]

    @classmethod
    def about(cls, encoded: bytes) -> "Question":
        """One about an image that is at hand."""
        return cls(content_digest(encoded), lambda: encoded)


class OtherAnswersError(Exception):
    """The export does not give what was kept and its head make of an image."""


class KnownAnswers:
    """An exported model, asked in full only where no model of the same body was asked before.

    Attributes:
        model: the model.
    """

    def __init__(self, model: ExportedModel, directory: str) -> None:
        """Opens what is kept of the model's body.

        Args:
            model: to ask.
            directory: common to all bodies; empty to keep nothing.
        """
        self.model = model
        self._directory = directory
        # A model that was pushed lies there without its head.
        can_be_known = directory and (Path(model.uri) / HEAD_FILE).exists()
        self._body = str(model.described.get(BODY, "")) if can_be_known else ""

    def __bool__(self) -> bool:
        """Whether anything is kept of this model."""
        return bool(self._body)

    @cached_property
    def _heads(self) -> list[keras.Model]:
        """That of the model, and those of further columns."""
        files = HEAD_FILE, *map(further_head_file, self.model.further)
        return [read_head(Path(self.model.uri) / file) for file in files]

    @cached_property
    def _store(self) -> EmbeddingStore:
        width = int(self._heads[0].input_shape[-1]) + len(IMAGE_SIGNALS)
        return EmbeddingStore(self._directory, self._body, width)

    def ask(self, questions: Sequence[Question]) -> Answers:
        """What the model gives of some hundreds of images.

        Raises:
            GraftError: the model lacks a signature.
            OtherAnswersError: what was kept is not what the export computes.
            OSError: the store cannot be written.
        """
        if not self:
            return self.model.observe(each.image() for each in questions)
        fresh = {each.key: each for each in questions if each.key not in self._store}
        given = self.model.observe(each.image() for each in fresh.values())
        kept = np.concatenate([given.embeddings, given.signals], axis=1)
        if not np.isfinite(kept).all():
            raise OtherAnswersError("it gives what is no number")
        # Nothing is kept of an export that is not what it says.
        told = given.probabilities, *given.further
        self._compare(self._answered(given.embeddings), told)
        if fresh:
            self._store.add(list(fresh), kept)
        rows = self._store.get([each.key for each in questions])
        embeddings, signals = np.split(rows, [-len(IMAGE_SIGNALS)], axis=1)
        answered = self._answered(embeddings)
        self._confirm(questions, answered)
        return Answers(answered[0], embeddings, signals, answered[1:])

    def ask_by(
        self, ask: Callable[[Sequence[int]], NDArray[np.float32]], questions: Sequence[Question]
    ) -> NDArray[np.float32]:
        """The probabilities alone, by another way into the export; none of them is kept.

        Args:
            ask: asks the export about the questions of these places, in this order.
            questions: some hundreds.

        Returns:
            Of the classes, not of further columns, float32 [n, k].

        Raises:
            OtherAnswersError: what was kept is not what the export computes.
        """
        places = range(len(questions))
        known = [place for place in places if self and questions[place].key in self._store]
        if not known:
            return ask(places)
        rows = self._store.get([questions[place].key for place in known])
        answers = np.zeros((len(questions), len(self.model.classes)), np.float32)
        answers[known] = self._answered(rows[:, : -len(IMAGE_SIGNALS)])[0]
        fresh = sorted(set(places).difference(known))
        some = [place for place in self._some(questions) if place not in fresh]
        given = ask([*fresh, *some])
        answers[fresh] = given[: len(fresh)]
        self._compare((answers[some],), (given[len(fresh) :],))
        return answers

    def _answered(self, embeddings: NDArray[np.float32]) -> _Columns:
        logits = (
            keras.ops.convert_to_numpy(head(embeddings, training=False)) for head in self._heads
        )
        return tuple(np.asarray(softmax(each, axis=1), np.float32) for each in logits)

    def _confirm(self, questions: Sequence[Question], answered: _Columns) -> None:
        """Asks the served signature about some of the images."""
        rows = self._some(questions)
        served = self.model.answer_all([questions[row].image() for row in rows])
        self._compare(tuple(each[rows] for each in answered), served)

    def _some(self, questions: Sequence[Question]) -> list[int]:
        """Places of those that the whole export is asked about, others for each model."""
        digest = str(self.model.described.get("model_digest", ""))
        order = sorted(
            range(len(questions)),
            key=lambda row: hashlib.sha256((digest + questions[row].key).encode()).digest(),
        )
        return order[: -(-len(questions) // _ONE_OF)]

    def _compare(self, known: _Columns, given: _Columns) -> None:
        for one, other in zip(known, given, strict=True):
            # A NaN is as wrong as can be, and no comparison says so by itself.
            differences = np.nan_to_num(np.abs(one - other), nan=np.inf)
            if differences.size and differences.max() > _TOLERANCE:
                raise OtherAnswersError(f"a probability differs by {differences.max():.3g}")


def known_or_asked(known: KnownAnswers, ask: Callable[[KnownAnswers], T]) -> T:
    """Asks with what is known, and where that is not what the export computes, without.

    Args:
        known: of the model.
        ask: all questions; may be called twice.
    """
    try:
        return ask(known)
    except OtherAnswersError as error:
        _log.warning("known answers are not used, and all images are asked about: %s", error)
        return ask(KnownAnswers(known.model, ""))
