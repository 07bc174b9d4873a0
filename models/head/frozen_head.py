"""The head on the frozen backbone: the best of the search, or the linear one."""

from dataclasses import dataclass, replace
from typing import Literal

import keras

from models.head.evidence import Answers, answers_of, compare
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.history.records import Curve


@dataclass(frozen=True)
class FrozenHead:
    """A head, and why it is this one.

    Attributes:
        model: from embeddings [n, d] to logits [n, k].
        kind: "searched" with the hyperparameters of a search, or "linear".
        parameters: it was trained with; those of a search say nothing of a linear head but that
            it has no hidden layer and no dropout.
        curve: of its training; of one epoch where it was solved.
        best_epoch: the one that was kept, counted from 0.
        answers: to the validation images.
        reason: why it is this one, in words.
    """

    model: keras.Model
    kind: Literal["searched", "linear"]
    parameters: HeadParameters
    curve: Curve
    best_epoch: int
    answers: Answers
    reason: str


def train_frozen_head(
    trainer: HeadTrainer, parameters: HeadParameters, *, epochs: int, patience: int, seed: int
) -> FrozenHead:
    """Trains the head that a search chose and the linear one, and takes the more promising.

    Args:
        trainer: of the task.
        parameters: of the search's best trial.
        epochs: most epochs of the searched head.
        patience: epochs without a better score after which it stops.
        seed: of everything random.

    Raises:
        DivergedError: not one epoch of the searched head ended with finite losses.
    """
    trained = trainer.train(parameters, epochs=epochs, patience=patience, seed=seed)
    searched = trainer.model(parameters, trained.weights)
    validation = trainer.task.validation
    logits = searched.predict(validation.embeddings, batch_size=1024, verbose=0)
    answers = answers_of(logits, validation.classes)
    linear = trainer.linear()
    comparison = compare(linear.answers, answers)
    if comparison.gain <= 0.0:
        reason = f"the searched head promises more than the linear one: {comparison}"
        curve, best = trained.evaluation.curve, trained.evaluation.best_epoch
        return FrozenHead(searched, "searched", parameters, curve, best, answers, reason)
    plain = replace(parameters, hidden_units=0, dropout=0.0)
    curve = Curve(
        train_loss=(linear.train_loss,),
        validation_loss=(linear.validation_loss,),
        validation_accuracy=(linear.answers.accuracy,),
    )
    return FrozenHead(
        model=trainer.model(plain, [linear.kernel, linear.bias]),
        kind="linear",
        parameters=plain,
        curve=curve,
        best_epoch=0,
        answers=linear.answers,
        reason=f"the linear head promises more than the searched one: {comparison}",
    )
