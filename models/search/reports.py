"""Tells an oracle what came of a stretch."""

from keras_tuner.engine.trial import Trial

from models.history.records import Evaluation
from models.oracles.freeze_thaw_oracle import (
    ELAPSED,
    ENDED,
    INITIAL_EPOCH,
    SECONDS,
    FreezeThawOracle,
)


def report_to(oracle: FreezeThawOracle, trial: Trial, evaluation: Evaluation) -> None:
    """Reports each epoch of the stretch, and what all of it took.

    Args:
        oracle: that proposed the trial.
        trial: the stretch.
        evaluation: of all epochs so far; without `paused_after` nothing can follow.
    """
    name = oracle.objective.name
    curve = evaluation.curve
    first = int(trial.hyperparameters.values[INITIAL_EPOCH])
    for epoch in range(first, len(curve.scores)):
        epoch_report = {name: curve.scores[epoch], SECONDS: curve.seconds[epoch]}
        oracle.update_trial(trial.trial_id, epoch_report, step=epoch + 1)
    # The step 0 is Keras Tuner's, for the best score.
    ended = float(evaluation.paused_after is None)
    whole = {name: evaluation.score, ELAPSED: evaluation.seconds, ENDED: ended}
    oracle.update_trial(trial.trial_id, whole, step=0)
