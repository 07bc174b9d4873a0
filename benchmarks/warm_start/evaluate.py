"""Live evaluations: one configuration trained on one task with one seed, and kept.

A training follows from the task, the values, the seed and the number of epochs, so no evaluation
is ever made twice: the file `<cache>/evaluations/<task key>.jsonl` takes one line each, and methods
that propose the same configuration share it. A line that a kill has cut short is passed over.
"""

import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.warm_start.problem import CLASS_WEIGHTS, EPOCHS
from benchmarks.warm_start.tasks import Task
from models.head.head_program import Weights
from models.head.head_trainer import DivergedError, HeadTrainer, TrainedHead
from models.head.hyperparameters import HeadParameters
from models.head.selection_score import selection_score
from models.head.stopping import PATIENCE
from models.history.search_space import Values

_DIGITS = 6
"""Decimals of the learning curve in the file."""


@dataclass(frozen=True)
class Outcome:
    """One evaluation.

    Attributes:
        values: of the configuration.
        seed: of the training.
        limit: most epochs.
        score: on the validation images, what a search maximises; None if the training diverged.
        test_score: the same measure on the test images.
        test_accuracy: share of the test images answered rightly.
        epochs: that were run.
        seconds: of training and validating.
        validation_loss: after each epoch, in nats.
        validation_accuracy: after each epoch.
    """

    values: Values
    seed: int
    limit: int
    score: float | None
    test_score: float | None
    test_accuracy: float | None
    epochs: int
    seconds: float
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()

    @property
    def key(self) -> str:
        """What the evaluation follows from."""
        return evaluation_key(self.values, self.seed, self.limit)


def evaluation_key(values: Values, seed: int, limit: int) -> str:
    """Names one evaluation on a task."""
    canonical = HeadParameters.from_values(dict(values)).to_values()
    return json.dumps([canonical, seed, limit], sort_keys=True)


def evaluations_file(cache: Path, task: Task) -> Path:
    """Where the evaluations on a task lie."""
    return cache / "evaluations" / f"{task.key}.jsonl"


def read_outcomes(path: Path) -> list[Outcome]:
    """All evaluations in a file, in the order in which they were made; none if it is absent."""
    outcomes = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        for name in ("validation_loss", "validation_accuracy"):
            record[name] = tuple(record[name])
        outcomes.append(Outcome(**record))
    return outcomes


class Evaluator:
    """Evaluates configurations on one task. One process at a time writes a task's file."""

    def __init__(self, task: Task, cache: Path) -> None:
        """Reads what is known; compiles nothing yet.

        Args:
            task: to train and test on.
            cache: folder that evaluations are kept in.
        """
        self._task = task
        self._file = evaluations_file(cache, task)
        self._known = {outcome.key: outcome for outcome in read_outcomes(self._file)}
        self._heads: dict[int, keras.Model] = {}

    def evaluate(self, values: Values, seed: int, limit: int = EPOCHS) -> Outcome:
        """Trains one head, or finds the outcome.

        Args:
            values: of the configuration.
            seed: of the training.
            limit: most epochs.
        """
        key = evaluation_key(values, seed, limit)
        if key not in self._known:
            outcome = self._train(values, seed, limit)
            self._keep(outcome)
            self._known[key] = outcome
        return self._known[key]

    def _keep(self, outcome: Outcome) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            # The line before may have been cut short; an empty line is passed over too.
            file.write("\n" + json.dumps(asdict(outcome)))

    @cached_property
    def _trainer(self) -> HeadTrainer:
        return HeadTrainer(self._task.data, CLASS_WEIGHTS)

    @cached_property
    def _test_embeddings(self) -> tf.Tensor:
        return tf.constant(self._task.test.embeddings)

    def _train(self, values: Values, seed: int, limit: int) -> Outcome:
        parameters = HeadParameters.from_values(dict(values))
        started = time.perf_counter()
        try:
            trained = self._trainer.train(parameters, epochs=limit, patience=PATIENCE, seed=seed)
        except DivergedError:
            seconds = time.perf_counter() - started
            return Outcome(parameters.to_values(), seed, limit, None, None, None, 1, seconds)
        accuracy, loss = self._test(parameters, trained.weights)
        return _outcome(
            parameters.to_values(),
            limit,
            trained,
            selection_score(accuracy, loss, self._task.data.classes),
            accuracy,
        )

    def _test(self, parameters: HeadParameters, weights: Weights) -> tuple[float, float]:
        """Accuracy and log loss on the test images."""
        head = self._head(parameters, weights)
        logits = head(self._test_embeddings, training=False)
        truth = tf.constant(self._task.test.classes, tf.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, logits)
        right = np.argmax(logits, axis=1) == self._task.test.classes
        return float(np.mean(right)), float(tf.reduce_mean(losses))

    def _head(self, parameters: HeadParameters, weights: Weights) -> keras.Model:
        """A head that answers; making one anew for each trial would take as long as the trial."""
        width = parameters.hidden_units
        if width not in self._heads:
            self._heads[width] = self._trainer.model(parameters, weights)
        head = self._heads[width]
        for variable, value in zip(head.trainable_variables, weights, strict=True):
            variable.assign(value)
        return head


def _outcome(
    values: Values, limit: int, trained: TrainedHead, test_score: float, test_accuracy: float
) -> Outcome:
    evaluation = trained.evaluation
    curve = evaluation.curve
    return Outcome(
        values=values,
        seed=evaluation.seed,
        limit=limit,
        score=evaluation.score,
        test_score=test_score if np.isfinite(test_score) else None,
        test_accuracy=test_accuracy,
        epochs=len(curve.validation_loss),
        seconds=evaluation.seconds,
        validation_loss=tuple(round(each, _DIGITS) for each in curve.validation_loss),
        validation_accuracy=tuple(round(each, _DIGITS) for each in curve.validation_accuracy),
    )
