"""Trains heads on embeddings held in memory, many in a row."""

import math
import time
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.errors import GraftError
from models.head.head_model import Standardisation, build_head, statistics
from models.head.head_program import Arrays, EpochResult, HeadProgram, Weights
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask
from models.head.linear_head import LinearHead, fit_linear
from models.head.selection_score import selection_score
from models.head.stopping import ShouldStop
from models.history.records import ClassWeights, Curve, Evaluation


class DivergedError(GraftError):
    """No epoch of a training ended with finite losses."""


@dataclass(frozen=True)
class TrainedHead:
    """The outcome of one training.

    Attributes:
        evaluation: score, learning curve, time.
        weights: trainable weights of the best epoch, as `HeadTrainer.model` takes them.
    """

    evaluation: Evaluation
    weights: Weights


class HeadTrainer:
    """Trains any number of heads on one task; each width is compiled once.

    On two cores, 20 epochs over 2,000 images of 1,280 features take 0.3 s for a linear head and
    3 s for one of 512 hidden units in batches of 32 (`benchmarks/head_trials.py`).

    Attributes:
        class_weights: of the losses.
    """

    def __init__(self, task: HeadTask, class_weights: ClassWeights = "none") -> None:
        """Standardises the embeddings once.

        Args:
            task: training and validation embeddings.
            class_weights: see `HeadTask.class_weights`.
        """
        self._task = task
        self.class_weights: Final = class_weights
        self._mean, self._variance = statistics(task.train.embeddings)
        standardise = Standardisation(dtype="float32")
        standardise.build((None, len(self._mean)))
        standardise.set_statistics(self._mean, self._variance)
        self._arrays = Arrays(
            features=standardise(tf.constant(task.train.embeddings)),
            classes=tf.constant(task.train.classes, tf.int32),
            validation_features=standardise(tf.constant(task.validation.embeddings)),
            validation_classes=tf.constant(task.validation.classes, tf.int32),
            class_weights=tf.constant(task.class_weights(class_weights)),
        )
        self._programs: dict[int, HeadProgram] = {}

    @property
    def task(self) -> HeadTask:
        """What it trains on."""
        return self._task

    def linear(self) -> LinearHead:
        """The best linear head, solved to its optimum."""
        arrays = self._arrays
        return fit_linear(
            arrays.features.numpy(),
            self._task.train.classes,
            arrays.validation_features.numpy(),
            self._task.validation.classes,
            arrays.class_weights.numpy(),
        )

    def on(self, task: HeadTask) -> "HeadTrainer":
        """A trainer of the same kind on another task."""
        return type(self)(task, self.class_weights)

    def train(
        self,
        parameters: HeadParameters,
        *,
        epochs: int,
        patience: int,
        seed: int,
        should_stop: ShouldStop | None = None,
    ) -> TrainedHead:
        """Trains one head and keeps its best epoch.

        Args:
            parameters: of the trial.
            epochs: most epochs.
            patience: stops after this many epochs without a better score.
            seed: of the weights, the order of images and dropout.
            should_stop: asked after each epoch but the last, with the scores so far; the
                evaluation says when it ended the training.

        Raises:
            DivergedError: not one epoch ended with finite losses.
        """
        started = time.perf_counter()
        program = self._program(parameters.hidden_units)
        program.reset(seed)
        epochs_run: list[EpochResult] = []
        scores: list[float] = []
        best_epoch, best_weights, stopped = 0, Weights(), False
        for epoch in range(epochs):
            result = program.run_epoch(parameters, seed, epoch)
            if not all(math.isfinite(figure) for figure in result):
                break
            epochs_run.append(result)
            scores.append(self._score(result))
            if epoch == 0 or scores[-1] > scores[best_epoch]:
                best_epoch, best_weights = epoch, program.weights()
            elif epoch - best_epoch >= patience:
                break
            if should_stop and epoch < epochs - 1 and should_stop(scores):
                stopped = True
                break
        if not epochs_run:
            raise DivergedError(f"the training diverged in its first epoch with {parameters}")
        evaluation = Evaluation(
            seed=seed,
            score=scores[best_epoch],
            best_epoch=best_epoch,
            validation_loss=epochs_run[best_epoch].validation_loss,
            validation_accuracy=epochs_run[best_epoch].validation_accuracy,
            seconds=time.perf_counter() - started,
            curve=_curve(epochs_run),
            stopped=stopped,
        )
        return TrainedHead(evaluation, best_weights)

    def model(self, parameters: HeadParameters, weights: Weights) -> keras.Model:
        """The head as a Keras model, from raw embeddings [n, d] to logits [n, k].

        Args:
            parameters: that `weights` were trained with.
            weights: of `train`.
        """
        head = build_head(
            len(self._mean),
            self._task.classes,
            parameters,
            mean=self._mean,
            variance=self._variance,
        )
        for variable, value in zip(head.trainable_variables, weights, strict=True):
            variable.assign(value)
        return head

    def _score(self, result: EpochResult) -> float:
        return selection_score(
            result.validation_accuracy, result.validation_loss, self._task.classes
        )

    def _program(self, hidden_units: int) -> HeadProgram:
        if hidden_units not in self._programs:
            self._programs[hidden_units] = HeadProgram(self._arrays, hidden_units)
        return self._programs[hidden_units]


def probabilities(head: keras.Model, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Class probabilities float32 [n, k] of a head that gives logits; n may be 0."""
    if len(embeddings) == 0:
        return np.zeros((0, head.output_shape[-1]), np.float32)
    logits = head.predict(embeddings, batch_size=1024, verbose=0)
    return np.asarray(keras.ops.softmax(logits), np.float32)


def _curve(epochs: list[EpochResult]) -> Curve:
    return Curve(
        train_loss=tuple(each.train_loss for each in epochs),
        validation_loss=tuple(each.validation_loss for each in epochs),
        validation_accuracy=tuple(each.validation_accuracy for each in epochs),
    )
