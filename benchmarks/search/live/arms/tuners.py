"""Keras Tuner's own schedulers over Graft's space, each trial trained as Graft trains it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras_tuner
from keras_tuner.engine.oracle import Oracle
from keras_tuner.engine.trial import TrialStatus

from benchmarks.search.live.fine_tuned import Chosen, head_alone, train_within
from benchmarks.search.live.situation import Clock, Outcome, Situation
from models.errors import GraftError
from models.history.records import Evaluation
from models.history.search_space import Values
from models.oracles.freeze_thaw_oracle import EPOCHS, INITIAL_EPOCH
from models.search.joint_space import (
    AUGMENT,
    LEARNING_RATE,
    UNFREEZE,
    candidate_of,
    configurations,
    in_words,
    is_frozen,
    with_choice,
)
from models.search.search_task import SearchTask
from models.search.stretch_runner import StretchRunner
from models.training.training_settings import TrainingSettings

_CANDIDATE: Final = "candidate"
_SCORE: Final = "score"
_MOST_TRIALS: Final = 1000
_FIRST_POINTS: Final = 4
"""At random, before the Gaussian process is asked. Keras Tuner's own choice, three for each
hyperparameter, would leave a search of minutes a random one."""
_LAST_SHARE: Final = 0.1
"""Of the time: no trial is begun in it, as it would not see the end of its first epoch."""


def bayesian(situation: Situation, clock: Clock) -> Outcome:
    """A Gaussian process; each trial is trained to its end."""

    def oracle(space: keras_tuner.HyperParameters, training: TrainingSettings) -> Oracle:
        del training
        return keras_tuner.oracles.BayesianOptimizationOracle(
            keras_tuner.Objective(_SCORE, "max"),
            max_trials=_MOST_TRIALS,
            num_initial_points=_FIRST_POINTS,
            hyperparameters=space,
            seed=situation.seed + 1,
        )

    return _searched(situation, clock, oracle)


def hyperband(situation: Situation, clock: Clock) -> Outcome:
    """Random configurations, of which the better go on."""

    def oracle(space: keras_tuner.HyperParameters, training: TrainingSettings) -> Oracle:
        return keras_tuner.oracles.HyperbandOracle(
            keras_tuner.Objective(_SCORE, "max"),
            max_epochs=training.epochs,
            hyperband_iterations=_MOST_TRIALS,
            hyperparameters=space,
            seed=situation.seed + 1,
        )

    return _searched(situation, clock, oracle)


def _searched(
    situation: Situation,
    clock: Clock,
    make: Callable[[keras_tuner.HyperParameters, TrainingSettings], Oracle],
) -> Outcome:
    task = situation.task()
    runner = StretchRunner(task, situation.scratch / "search")
    images = len(runner.prepared(task.candidates[0]).embeddings.train.classes)
    pool = configurations(task, images)
    oracle = make(_space(pool), task.training)
    oracle._set_project_dir(str(situation.scratch), "keras_tuner")
    oracle.verbose = 0
    tried: list[tuple[Values, Evaluation]] = []
    while clock.left > _LAST_SHARE * clock.seconds or not tried:
        trial = oracle.create_trial("one")
        if trial.status != TrialStatus.RUNNING:
            break
        values = trial.hyperparameters.values
        configuration = _configuration(pool, values)
        epochs = int(values.get(EPOCHS, task.training.epochs))
        try:
            evaluation = _trained(runner, configuration, epochs, clock)
        except GraftError as error:
            trial.status, trial.message = TrialStatus.FAILED, str(error)
        else:
            tried.append((configuration, evaluation))
            oracle.update_trial(trial.trial_id, {_SCORE: evaluation.score}, step=0)
            trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
    return _best(task, runner, tried).judged(situation, clock)


def _trained(runner: StretchRunner, configuration: Values, epochs: int, clock: Clock) -> Evaluation:
    """All epochs so far, fewer than asked for where the time has run out."""
    if is_frozen(configuration):
        return runner.run({**configuration, EPOCHS: 1, INITIAL_EPOCH: 0})
    found: list[Evaluation] = []

    def train(stop: int) -> tuple[Sequence[float], bool]:
        stretch = {**configuration, EPOCHS: min(stop, epochs), INITIAL_EPOCH: 0}
        found.append(runner.run(stretch))
        return found[-1].curve.seconds, found[-1].paused_after is None or stop >= epochs

    train_within(clock, train)
    return found[-1]


def _best(
    task: SearchTask, runner: StretchRunner, tried: Sequence[tuple[Values, Evaluation]]
) -> Chosen:
    if not tried:
        raise GraftError("Not a single trial came out.")
    values, evaluation = max(tried, key=lambda each: each[1].score)
    prepared = runner.prepared(candidate_of(values))
    if is_frozen(values):
        model = head_alone(prepared)
    else:
        training = prepared.training(
            with_choice(task.training, values), Path(runner.state_file(values)).parent
        )
        prepared.trainer(training).train(
            training,
            mirror=prepared.mirror(training),
            pause_after=len(evaluation.curve.scores),
        )
        model = Chosen(
            prepared, in_words(values), {"validation_accuracy": evaluation.validation_accuracy}
        )
    different = {repr(sorted(each.items())): each for each, _ in tried}.values()
    model.notes.update(
        configurations=len(different),
        fine_tunings=sum(not is_frozen(each) for each in different),
        epochs_bought=sum(
            max(len(other.curve.scores) for own, other in tried if own == each)
            for each in different
        ),
    )
    return model


def _space(pool: Sequence[Values]) -> keras_tuner.HyperParameters:
    """The pool as Keras Tuner tells it; a frozen backbone has neither rate nor augmentation."""
    unfrozen = [each for each in pool if not is_frozen(each)]
    space = keras_tuner.HyperParameters()
    space.Choice(_CANDIDATE, list(dict.fromkeys(str(candidate_of(each)) for each in pool)))
    space.Choice(UNFREEZE, sorted({float(each[UNFREEZE]) for each in pool}))
    with space.conditional_scope(UNFREEZE, sorted({float(each[UNFREEZE]) for each in unfrozen})):
        space.Choice(LEARNING_RATE, sorted({float(each[LEARNING_RATE]) for each in unfrozen}))
        space.Choice(AUGMENT, sorted({str(each[AUGMENT]) for each in unfrozen}))
    return space


def _configuration(pool: Sequence[Values], values: Mapping[str, Any]) -> Values:
    names = (UNFREEZE,) if not values[UNFREEZE] else (UNFREEZE, LEARNING_RATE, AUGMENT)
    return next(
        each
        for each in pool
        if str(candidate_of(each)) == values[_CANDIDATE]
        and all(each.get(name) == values[name] for name in names)
    )
