"""A stand-in for the default before there was one search: a search for the head, then fine-tuning.

What is as it was: EfficientNetLite0 at 224 px, features of its last block, 20 trials of a dense
head over the space of then, classes weighed alike, from 500 training images on six epochs of
fine-tuning of half the backbone, and the export of what had more validation images right. What is
not: the search is Keras Tuner's and starts from nothing, the rate of fine-tuning does not fall, and
features that hardly vary are not blown up as far.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import keras
import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from benchmarks.search.live.fine_tuned import train_within
from benchmarks.search.live.judging import judge
from benchmarks.search.live.situation import Clock, Outcome, Situation
from models.backbone_choice.backbone_choice import Candidate
from models.head.evidence import Answers, answers_of
from models.head.head_model import Standardisation, statistics as feature_statistics
from models.head.labelled_embeddings import HeadTask
from models.search.prepared_backbone import PreparedBackbone
from models.training import device
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer
from models.training.training_settings import TrainingSettings
from models.training.training_task import with_head

_CANDIDATE: Final = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=224)
_TRIALS, _HEAD_EPOCHS, _PATIENCE = 20, 30, 3
_FINE_TUNED_FROM: Final = 500
"""Training images."""
_SCORE: Final = "score"


def old_default(situation: Situation, clock: Clock) -> Outcome:
    """Searches for the head, fine-tunes a large set, and takes the better."""
    task = situation.task(candidates=(_CANDIDATE,), features="last")
    prepared = PreparedBackbone(task, _CANDIDATE, situation.scratch / "activations")
    head, values, answers = _searched_head(prepared.embeddings, situation, clock)
    words = f"head of {values['hidden_units']} hidden units"
    accuracy = answers.accuracy
    images = len(prepared.embeddings.train.classes)
    if images >= _FINE_TUNED_FROM and clock.left > 0:
        top, trainer = _fine_tuned(prepared, head, values, situation, clock)
        if top.answers.accuracy >= accuracy:
            words, accuracy = f"fine-tuned, {words}", top.answers.accuracy
        else:
            trainer.reset()
    classifier = with_head(prepared.backbone.model, head)
    notes = {"validation_accuracy": accuracy}
    return judge(classifier, prepared.spec, situation, clock, words, notes)


def _searched_head(
    task: HeadTask, situation: Situation, clock: Clock
) -> tuple[keras.Model, Mapping[str, Any], Answers]:
    """The head with the best score, its hyperparameters, and its answers."""
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        keras_tuner.Objective(_SCORE, "max"),
        max_trials=_TRIALS,
        hyperparameters=_space(),
        seed=situation.seed + 1,
    )
    oracle._set_project_dir(str(situation.scratch), "keras_tuner")
    oracle.verbose = 0
    heads: list[tuple[float, keras.Model, Mapping[str, Any], Answers]] = []
    while clock.left > 0 or not heads:
        trial = oracle.create_trial("one")
        if trial.status != TrialStatus.RUNNING:
            break
        values = dict(trial.hyperparameters.values)
        keras.utils.set_random_seed(situation.seed)
        head = _trained_head(task, values)
        logits = head.predict(task.validation.embeddings, verbose=0)
        answers = answers_of(logits, task.validation.classes)
        score = answers.expected_accuracy
        heads.append((score, head, values, answers))
        oracle.update_trial(trial.trial_id, {_SCORE: score}, step=0)
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
    return max(heads, key=lambda each: each[0])[1:]


def _space() -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    space.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    space.Float("weight_decay", 1e-6, 1e-1, sampling="log")
    space.Float("dropout", 0.0, 0.6)
    space.Float("label_smoothing", 0.0, 0.2)
    space.Choice("hidden_units", [0, 128, 512])
    space.Choice("batch_size", [32, 128])
    return space


def _trained_head(task: HeadTask, values: Mapping[str, Any]) -> keras.Model:
    """From raw embeddings [n, d] to logits [n, k], with the weights of its best epoch."""
    mean, variance = feature_statistics(task.train.embeddings)
    inputs = keras.Input((len(mean),))
    standardisation = Standardisation(dtype="float32")
    hidden = keras.layers.Dropout(values["dropout"])(standardisation(inputs))
    standardisation.set_statistics(mean, variance)
    if values["hidden_units"]:
        hidden = keras.layers.Dense(values["hidden_units"], activation="relu")(hidden)
        hidden = keras.layers.Dropout(values["dropout"])(hidden)
    logits = keras.layers.Dense(task.classes, kernel_initializer="zeros")(hidden)
    head = keras.Model(inputs, logits)
    head.compile(
        optimizer=keras.optimizers.AdamW(
            values["learning_rate"], weight_decay=values["weight_decay"]
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=values["label_smoothing"]
        ),
        metrics=["accuracy"],
    )
    one_hot = np.eye(task.classes, dtype=np.float32)
    head.fit(
        task.train.embeddings,
        one_hot[task.train.classes],
        batch_size=values["batch_size"],
        epochs=_HEAD_EPOCHS,
        class_weight=dict(enumerate(task.class_weights("balanced").tolist())),
        validation_data=(task.validation.embeddings, one_hot[task.validation.classes]),
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="max", patience=_PATIENCE, restore_best_weights=True
            )
        ],
        verbose=0,
    )
    return head


def _fine_tuned(
    prepared: PreparedBackbone,
    head: keras.Model,
    values: Mapping[str, Any],
    situation: Situation,
    clock: Clock,
) -> tuple[TopPhase, TopTrainer]:
    settings = TrainingSettings(
        epochs=6,
        patience=3,
        unfreeze=0.5,
        learning_rate=3e-4,
        label_smoothing=values["label_smoothing"],
        class_weights="balanced",
    )
    task = prepared.training(settings, situation.scratch / "training")
    policy = device.precision(settings.mixed_precision, device.prepare_device())
    trainer = TopTrainer(task, head, policy)
    phases: list[TopPhase] = []

    def train(stop: int) -> tuple[Sequence[float], bool]:
        phases.append(trainer.train(task, pause_after=stop))
        return phases[-1].epoch_seconds, phases[-1].finished

    train_within(clock, train)
    return phases[-1], trainer
