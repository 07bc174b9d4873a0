"""Takes part in a search that a run serves, on this machine or on another one."""

import functools
import os
import socket
import traceback
import uuid
from pathlib import Path

from models.errors import UsageError
from models.head.head_trainer import HeadTrainer
from models.oracles.leases import beating
from models.search.folds import FoldTrainers
from models.search.trial_runner import TrialRunner
from models.search.trial_store import TrialStore
from models.search.workers.chief_client import ChiefClient, SearchEndedError
from models.search.workers.messages import Answer, Report
from models.search.workers.served_search import TRIALS, ServedSearch, read_served, read_task
from models.search.workers.stage import Stage

BEAT_SECONDS = 5.0
"""Between two signs of life; many in a trial's timeout (`models.oracles.algorithms`)."""


def work(
    folder: Path,
    *,
    code: str,
    timeout: float = 60.0,
    name: str = "",
    kind: type[HeadTrainer] = HeadTrainer,
) -> int:
    """Makes trials until the search has ended.

    When the run is killed and begun again within the timeout, the worker joins it again. Each
    finished evaluation is kept in the search's folder before the run hears of it.

    Args:
        folder: of the search, on a file system that the run sees too.
        code: digest of the training code here.
        timeout: seconds for which a run that does not answer is waited for.
        name: of this worker; empty for one that nobody else has.
        kind: of trainer.

    Returns:
        Number of trials that were made here.

    Raises:
        UsageError: no search is served there, or one of another Graft.
        GraftError: the run does not answer, and has not said that the search has ended.
        OSError: the folder cannot be written.
    """
    name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    served: ServedSearch | None = read_served(folder)
    made = 0
    while served is not None:
        if served.code != code:
            raise UsageError(
                f"The search in {folder} is of another version of Graft or of its libraries, whose "
                "trials would not be comparable. Workers need the same as the run."
            )
        chief = ChiefClient(folder, served, timeout)
        try:
            # Before the data is read: a run that is gone shows at once.
            chief.beat(Report())
            trainer = kind(read_task(folder, served), served.search.class_weights)
            trainers = FoldTrainers(trainer, served.folds, served.search.seed)
            store = TrialStore(folder / TRIALS)
            make_trials(chief, name, TrialRunner(trainers, served.search, store))
        except SearchEndedError:
            pass
        finally:
            chief.close()
        made += chief.made
        served = _begun_anew(folder, served)
    return made


def make_trials(chief: ChiefClient | Stage, name: str, runner: TrialRunner) -> None:
    """Makes one job after the other until there will be none again.

    Args:
        chief: gives them: the run or, in the run itself, a stage of the search.
        name: of this worker.
        runner: makes them.

    Raises:
        OSError: the folder cannot be written.
        GraftError: the chief cannot be heard.
    """
    report = Report(worker=name)
    while not (answer := chief.next(report)).is_over:
        runner.hear(answer.curves)
        report = Report(worker=name, curves=len(runner.curves), job=answer.job)
        if answer.job:
            with beating(functools.partial(chief.beat, report), BEAT_SECONDS):
                report = report.model_copy(update=_outcome(answer, runner))


def _outcome(answer: Answer, runner: TrialRunner) -> dict[str, object]:
    """What a report says of a job."""
    try:
        return {"evaluation": runner.run(answer.values, answer.fold)}
    except OSError:
        # The folder cannot be written: no trial of this worker would count.
        raise
    except Exception:  # noqa: BLE001 - as Keras Tuner does: whatever it was, the trial has failed
        return {"message": traceback.format_exc()[-2000:]}


def _begun_anew(folder: Path, before: ServedSearch) -> ServedSearch | None:
    """The search that a run which was killed serves again; None when there is none."""
    try:
        served = read_served(folder)
    except UsageError:
        return None
    return served if served != before else None
