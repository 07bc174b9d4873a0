"""Takes part in a search that a run serves, on this machine or on another one."""

import functools
import os
import socket
import traceback
import uuid
from pathlib import Path

from models.errors import UsageError
from models.oracles.leases import beating
from models.search.stretch_runner import StretchRunner
from models.search.workers.chief_client import ChiefClient, SearchEndedError
from models.search.workers.messages import Answer, Report
from models.search.workers.served_search import ServedSearch, read_served
from models.search.workers.stage import Stage

BEAT_SECONDS = 5.0
"""Between two signs of life; many in `models.search.joint_search.TIMEOUT_SECONDS`."""


def work(
    folder: Path,
    *,
    code: str,
    timeout: float = 60.0,
    name: str = "",
    secret: bytes = b"",
    kind: type[StretchRunner] = StretchRunner,
) -> int:
    """Makes trials until the search has ended.

    When the run is killed and begun again within the timeout, the worker joins it again. Each
    finished evaluation is kept in the search's folder before the run hears of it.

    Args:
        folder: of the search, on a file system that the run sees too.
        code: digest of the training code here.
        timeout: seconds for which a run that does not answer is waited for.
        name: of this worker; empty for one that nobody else has.
        secret: that calls are signed with; empty for none.
        kind: of runner.

    Returns:
        Number of trials that were made here.

    Raises:
        UsageError: no search is served there, or one of another Graft or with a secret, or this
            machine lacks a backbone that it was to train.
        GraftError: the run does not answer, and has not said that the search has ended.
        OSError: the folder cannot be written.
    """
    is_guest = not name
    name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    served: ServedSearch | None = read_served(folder)
    made = 0
    while served is not None:
        if served.code != code:
            raise UsageError(
                f"The search in {folder} is of another version of Graft or of its libraries, whose "
                "trials would not be comparable. Workers need the same as the run."
            )
        if served.is_signed and not secret:
            raise UsageError(
                f"The search in {folder} is served with a secret: name the file that holds it with "
                "--secret."
            )
        chief = ChiefClient(folder, served, timeout, secret)
        try:
            # Before the data is read: a run that is gone shows at once.
            chief.beat(Report())
            make_trials(chief, name, kind(served.task, folder, name), is_guest=is_guest)
        except SearchEndedError:
            pass
        finally:
            chief.close()
        made += chief.made
        served = _begun_anew(folder, served)
    return made


def make_trials(
    chief: ChiefClient | Stage, name: str, runner: StretchRunner, *, is_guest: bool = False
) -> None:
    """Makes one job after the other until there will be none again.

    Args:
        chief: gives them: the run or, in the run itself, a stage of the search.
        name: of this worker.
        runner: makes them.
        is_guest: whether this may be another machine than the run's, which may have a backbone
            that this one lacks.

    Raises:
        UsageError: a guest's machine lacks a backbone; its job is another one's then.
        OSError: the folder cannot be written.
        GraftError: the chief cannot be heard.
    """
    report = Report(worker=name)
    while not (answer := chief.next(report)).is_over:
        report = Report(worker=name, job=answer.job)
        if answer.job:
            with beating(functools.partial(chief.beat, report), BEAT_SECONDS):
                report = report.model_copy(update=_outcome(answer, runner))
        if is_guest and report.refused:
            chief.beat(report.model_copy(update={"leaves": True}))
            raise UsageError(
                f"This machine cannot take part: {report.refused}. Workers need the backbones of "
                "the run, and files of weights at the same paths."
            )


def _outcome(answer: Answer, runner: StretchRunner) -> dict[str, object]:
    """What a report says of a job."""
    try:
        return {"evaluation": runner.run(answer.values)}
    except OSError:
        # The folder cannot be written: no trial of this worker would count.
        raise
    except UsageError as error:
        return {"message": traceback.format_exc()[-2000:], "refused": str(error)[:1000]}
    except Exception:  # noqa: BLE001 - as Keras Tuner does: whatever it was, the trial has failed
        return {"message": traceback.format_exc()[-2000:]}


def _begun_anew(folder: Path, before: ServedSearch) -> ServedSearch | None:
    """The search that a run which was killed serves again; None when there is none."""
    try:
        served = read_served(folder)
    except UsageError:
        return None
    return served if served != before else None
