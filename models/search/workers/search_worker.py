"""Takes part in a search that a run on another machine serves."""

import os
import socket
import traceback
import uuid
from pathlib import Path

from keras_tuner.engine.trial import Trial, TrialStatus

from models import progress
from models.errors import UsageError
from models.head.head_trainer import HeadTrainer
from models.oracles.algorithms import OBJECTIVE
from models.oracles.leases import heartbeat
from models.search.trial_runner import TrialRunner
from models.search.trial_store import TrialStore
from models.search.workers.chief_client import ChiefClient, SearchEndedError
from models.search.workers.served_search import TRIALS, ServedSearch, read_served, read_task

BEAT_SECONDS = 5.0
"""Between two signs of life; many in a trial's timeout (`models.oracles.algorithms`)."""


def work(folder: Path, *, code: str, timeout: float = 60.0) -> int:
    """Makes trials until the search has ended.

    When the run is killed and begun again within the timeout, the worker joins it again. Each
    finished evaluation is kept in the search's folder before the run hears of it. Trials that
    fall behind are stopped by the curves of those that this worker has made, not of all.

    Args:
        folder: of the search, on a file system that the run sees too.
        code: digest of the training code here.
        timeout: seconds for which a run that does not answer is waited for.

    Returns:
        Number of trials that were made here.

    Raises:
        UsageError: no search is served there, or one of another Graft.
        GraftError: the run does not answer, and has not said that the search has ended.
        OSError: the folder cannot be written.
    """
    served: ServedSearch | None = read_served(folder)
    made = 0
    while served is not None:
        made += _take_part(folder, served, code, timeout)
        served = _begun_anew(folder, served)
    return made


def _take_part(folder: Path, served: ServedSearch, code: str, timeout: float) -> int:
    if served.code != code:
        raise UsageError(
            f"The search in {folder} is of another version of Graft or of its libraries, whose "
            "trials would not be comparable. Workers need the same as the run."
        )
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    chief = ChiefClient(folder, served, name, timeout)
    made = 0
    try:
        # Before the data is read: a run that is gone shows at once.
        chief.get_space()
        trainer = HeadTrainer(read_task(folder, served), served.search.class_weights)
        runner = TrialRunner(trainer, served.search, TrialStore(folder / TRIALS))
        while (trial := chief.create_trial(name)).status != TrialStatus.STOPPED:
            # A run that has no trial now takes its time to say so: there is no need to wait here.
            if trial.status == TrialStatus.RUNNING:
                _make(trial, chief, runner)
                made += 1
                progress.report(made, None, "trials")
    except SearchEndedError:
        return made
    finally:
        chief.close()
    return made


def _begun_anew(folder: Path, before: ServedSearch) -> ServedSearch | None:
    """The search that a run which was killed serves again; None when there is none."""
    try:
        served = read_served(folder)
    except UsageError:
        return None
    return served if served != before else None


def _make(trial: Trial, chief: ChiefClient, runner: TrialRunner) -> None:
    score = None
    with heartbeat(chief, trial.trial_id, BEAT_SECONDS):
        try:
            score = runner.run(trial.trial_id, trial.hyperparameters.values).score
        except OSError:
            # The folder cannot be written: no trial of this worker would count.
            raise
        except Exception:  # noqa: BLE001 - as Keras Tuner does: whatever it was, the trial has failed
            trial.message = traceback.format_exc()[-2000:]
    trial.status = TrialStatus.INVALID if score is None else TrialStatus.COMPLETED
    if score is not None:
        chief.update_trial(trial.trial_id, {OBJECTIVE.name: score})
    chief.end_trial(trial)
