"""The model that the Evaluator asks: of images that are known, its head alone.

TFMA asks a model for its signature `evaluate`. Of most images of a night the answer is known but
for the head (`components.exported_models.known_answers`), so what TFMA is given here asks the
export about the others, and about some of those that are known.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from components.evaluation.eval_config import EVALUATE_SIGNATURE, LABELS_SIGNATURE, PREDICTION_KEY
from components.exported_models.exported_model import ExportedModel
from components.exported_models.known_answers import KnownAnswers, OtherAnswersError, Question
from models.data import example_schema

_BATCH: Final = 32

_log = logging.getLogger(__name__)
_answers_dir: ContextVar[str] = ContextVar("answers_dir", default="")


@contextmanager
def answers_in(directory: str) -> Iterator[None]:
    """Says where `custom_eval_shared_model` finds what is known.

    Args:
        directory: common to all bodies; empty for nothing.
    """
    token = _answers_dir.set(directory)
    try:
        yield
    finally:
        _answers_dir.reset(token)


def custom_eval_shared_model(
    eval_saved_model_path: str, model_name: str, eval_config: EvalConfig, **_: Any
) -> tfma.types.EvalSharedModel:
    """Gives TFMA a model that knows answers.

    Args:
        eval_saved_model_path: of the SavedModel in a Model artifact.
        model_name: in the configuration.
        eval_config: of `components.evaluation.eval_config`.
    """
    uri = str(Path(eval_saved_model_path).parent)
    load = partial(_KnownModel, uri, _answers_dir.get())
    return tfma.default_eval_shared_model(
        eval_saved_model_path=eval_saved_model_path,
        model_name=model_name,
        eval_config=eval_config,
        custom_model_loader=tfma.types.ModelLoader(construct_fn=load),
    )


class _KnownModel:
    """Looks to TFMA like a SavedModel.

    Attributes:
        signatures: by their names.
    """

    def __init__(self, uri: str, answers_dir: str) -> None:
        model = ExportedModel(uri)
        self.signatures = {
            EVALUATE_SIGNATURE: _Evaluate(model, answers_dir),
            LABELS_SIGNATURE: _Labels(model),
        }


class _Labels:
    """The signature `transform_labels`, which TFMA calls without the name of its argument.

    TensorFlow would look at that first, and write all images out as text to say what is wrong.
    """

    def __init__(self, model: ExportedModel) -> None:
        self._signature = model.signature(LABELS_SIGNATURE)
        self.structured_input_signature = self._signature.structured_input_signature

    def __call__(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        given: dict[str, tf.Tensor] = self._signature(examples=examples)
        return given


class _Evaluate:
    """The signature `evaluate`: from serialized tf.Examples, string [n], to probabilities."""

    def __init__(self, model: ExportedModel, answers_dir: str) -> None:
        self._known = KnownAnswers(model, answers_dir)
        self._signature = model.signature(EVALUATE_SIGNATURE)
        self.structured_input_signature = self._signature.structured_input_signature

    def __call__(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        serialized = examples.numpy()
        ask = partial(self._asked, serialized)
        if not self._known:
            return {PREDICTION_KEY: tf.constant(ask(range(len(serialized))))}
        questions = [Question.about(image) for image in _images(examples)]
        try:
            answers = self._known.ask_by(ask, questions)
        except OtherAnswersError as error:
            _log.warning("known answers are not used from here on: %s", error)
            self._known = KnownAnswers(self._known.model, "")
            answers = ask(range(len(serialized)))
        return {PREDICTION_KEY: tf.constant(answers)}

    def _asked(self, serialized: NDArray[np.object_], rows: Sequence[int]) -> NDArray[np.float32]:
        wanted = [serialized[row] for row in rows]
        none = np.zeros((0, len(self._known.model.classes)), np.float32)
        parts = [
            self._signature(examples=tf.constant(wanted[at : at + _BATCH]))[PREDICTION_KEY].numpy()
            for at in range(0, len(wanted), _BATCH)
        ]
        return np.concatenate([none, *parts])


def _images(examples: tf.Tensor) -> list[bytes]:
    wanted = {example_schema.IMAGE: tf.io.FixedLenFeature([], tf.string)}
    return list(tf.io.parse_example(examples, wanted)[example_schema.IMAGE].numpy())
