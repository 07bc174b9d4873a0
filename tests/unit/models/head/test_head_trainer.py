"""The compiled trainer against Keras' own compile and fit."""

import keras
import numpy as np
import pytest

from models.errors import BadDataError
from models.head.head_model import build_head, statistics
from models.head.head_trainer import DivergedError, HeadTrainer, probabilities
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings

EPOCHS = 12


def fit_with_keras(
    task: HeadTask, parameters: HeadParameters, *, seed: int, epochs: int, balanced: bool
) -> keras.callbacks.History:
    """The plain loop: Keras' optimiser, loss, dropout and order of images."""
    keras.utils.set_random_seed(seed)
    mean, variance = statistics(task.train.embeddings)
    head = build_head(
        task.train.embeddings.shape[1],
        task.classes,
        parameters,
        mean=mean,
        variance=variance,
        seed=seed,
    )
    head.compile(
        optimizer=keras.optimizers.AdamW(
            parameters.learning_rate, weight_decay=parameters.weight_decay
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=parameters.label_smoothing
        ),
        metrics=["accuracy"],
    )
    weights = task.class_weights("balanced" if balanced else "none")
    return head.fit(
        task.train.embeddings,
        np.eye(task.classes, dtype=np.float32)[task.train.classes],
        batch_size=parameters.batch_size,
        epochs=epochs,
        class_weight=dict(enumerate(weights.tolist())),
        validation_data=(
            task.validation.embeddings,
            np.eye(task.classes, dtype=np.float32)[task.validation.classes],
        ),
        verbose=0,
    )


@pytest.mark.parametrize("hidden_units", [0, 24])
def test_without_chance_every_loss_is_that_of_keras(
    digits_task: HeadTask, hidden_units: int
) -> None:
    # One batch and no dropout leave nothing to chance but the weights, which have a seed.
    parameters = HeadParameters(
        learning_rate=0.02,
        weight_decay=0.1,
        dropout=0.0,
        label_smoothing=0.1,
        hidden_units=hidden_units,
        batch_size=len(digits_task.train.classes),
    )
    # Classes of very different size, so that the weights matter.
    rows = (digits_task.train.classes > 2) | (np.arange(600) < 200)
    uneven = LabelledEmbeddings(digits_task.train.embeddings[rows], digits_task.train.classes[rows])
    task = HeadTask(uneven, digits_task.validation, digits_task.classes)
    own = HeadTrainer(task, "balanced").train(parameters, epochs=8, patience=8, seed=5)
    keras_history = fit_with_keras(task, parameters, seed=5, epochs=8, balanced=True).history
    curve = own.evaluation.curve
    np.testing.assert_allclose(curve.train_loss, keras_history["loss"], rtol=2e-4)
    np.testing.assert_allclose(
        curve.validation_accuracy, keras_history["val_accuracy"], atol=0.0041
    )


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param(HeadParameters(1e-2, 1e-2, 0.2, 0.05, 0, 32), marks=pytest.mark.slow),
        HeadParameters(3e-3, 1e-4, 0.4, 0.1, 32, 64),
    ],
)
def test_scores_are_those_of_the_plain_loop_within_noise(
    digits_task: HeadTask, parameters: HeadParameters
) -> None:
    trainer = HeadTrainer(digits_task, "none")
    own, plain = [], []
    for seed in range(3):
        trained = trainer.train(parameters, epochs=EPOCHS, patience=EPOCHS, seed=seed)
        own.append(max(trained.evaluation.curve.validation_accuracy))
        history = fit_with_keras(
            digits_task, parameters, seed=seed, epochs=EPOCHS, balanced=False
        ).history
        plain.append(max(history["val_accuracy"]))
    # The standard error of the difference is about 0.4 points.
    assert np.mean(own) == pytest.approx(np.mean(plain), abs=0.015)
    assert np.mean(own) > 0.9


def test_the_head_as_a_model_answers_as_in_its_best_epoch(digits_task: HeadTask) -> None:
    parameters = HeadParameters(learning_rate=0.01, hidden_units=16, dropout=0.3)
    trainer = HeadTrainer(digits_task)
    trained = trainer.train(parameters, epochs=5, patience=5, seed=0)
    answers = probabilities(
        trainer.model(parameters, trained.weights), digits_task.validation.embeddings
    )
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    right = answers.argmax(axis=1) == digits_task.validation.classes
    assert np.mean(right) == pytest.approx(trained.evaluation.validation_accuracy, abs=1e-6)


def test_trials_do_not_depend_on_those_before(digits_task: HeadTask) -> None:
    first = HeadParameters(learning_rate=0.01, dropout=0.3, hidden_units=16, batch_size=32)
    other = HeadParameters(learning_rate=0.1, dropout=0.0, hidden_units=16, batch_size=100)
    trainer = HeadTrainer(digits_task)

    def curve(parameters: HeadParameters, seed: int) -> object:
        return trainer.train(parameters, epochs=3, patience=3, seed=seed).evaluation.curve

    alone = curve(first, 0)
    assert curve(other, 0) != alone
    assert curve(first, 1) != alone
    assert curve(first, 0) == alone


def test_training_stops_when_validation_no_longer_improves(digits_task: HeadTask) -> None:
    parameters = HeadParameters(learning_rate=0.1, batch_size=32)
    evaluation = HeadTrainer(digits_task).train(parameters, epochs=200, patience=3, seed=0)
    record = evaluation.evaluation
    assert len(record.curve.train_loss) == record.best_epoch + 4 < 200
    assert record.validation_accuracy == record.curve.validation_accuracy[record.best_epoch]
    assert record.validation_loss == record.curve.validation_loss[record.best_epoch]


def test_a_training_that_diverges_at_once_fails(digits_task: HeadTask) -> None:
    parameters = HeadParameters(learning_rate=1e38, weight_decay=1e38)
    with pytest.raises(DivergedError, match="diverged in its first epoch"):
        HeadTrainer(digits_task).train(parameters, epochs=2, patience=2, seed=0)


def test_no_images_to_validate_on_and_broken_embeddings_are_refused(
    digits_task: HeadTask,
) -> None:
    none = LabelledEmbeddings(np.zeros((0, 64), np.float32), np.zeros(0, int))
    with pytest.raises(BadDataError, match="no validation image"):
        HeadTask(digits_task.train, none, 10)
    broken = LabelledEmbeddings(np.full((2, 64), np.nan, np.float32), np.zeros(2, int))
    with pytest.raises(BadDataError, match="training embeddings hold values"):
        HeadTask(broken, digits_task.validation, 10)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    split = LabelledEmbeddings(np.zeros((4, 2), np.float32), np.array([0, 0, 0, 2]))
    task = HeadTask(split, split, 3)
    np.testing.assert_allclose(task.class_weights("balanced"), [4 / 9, 1, 4 / 3], rtol=1e-6)
    np.testing.assert_array_equal(task.class_weights("none"), [1, 1, 1])
