"""`graft monitor`: reads the request log, says how the served model is, and leaves it in files."""

import json
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import GraftError
from models.number_text import interval_text
from models.observation.reference import Reference
from models.storage.alone import alone
from models.storage.atomic_write import write_atomically
from monitoring.accuracy.report import AccuracyReport
from monitoring.decision_memory import Training
from monitoring.health import Health
from monitoring.live_images import live_images
from monitoring.metrics import HealthMetrics
from monitoring.monitor import Monitor, Places
from pipeline.needed.retrainings import HEALTH, retrainings
from pipeline.run_folder import read_run
from pipeline.watch.page import render_page
from pipeline.watch.watched import Watched

METRICS: Final = "metrics.prom"
_LOCK: Final = ".lock"


@dataclass(frozen=True)
class Following:
    """How `--follow` goes on.

    Attributes:
        seconds: from one look to the next.
        metrics_port: of Prometheus' page; None for none.
        host: that the page is bound to.
    """

    seconds: float
    metrics_port: int | None
    host: str


def monitor(watched: Watched, following: Following | None, *, as_json: bool) -> int:
    """Looks once, or on and on until SIGTERM or SIGINT.

    Args:
        watched: model, log and folder.
        following: None to look once.
        as_json: print health.json alone on standard output.

    Returns:
        0 healthy, 10 drift that does no harm so far, 11 harmful, 12 data fault, 13 too little data
        to say: of the last look.

    Raises:
        WorkspaceBusyError: another monitor is at work.
        UsageError: there is no log, or no reference.
        GraftError: a file cannot be written.
    """
    with alone(
        watched.folder / _LOCK,
        f"Another `graft monitor` is at work in {watched.folder}. It writes what it sees there.",
    ):
        monitor = Monitor(
            Places(watched.log, watched.folder),
            watched.name,
            watched.reference,
            watched.drift,
            watched.decision,
        )
        metrics = HealthMetrics()
        if following is None:
            health = _look(monitor, watched, metrics)
            _tell(health, watched, as_json=as_json)
            return health.exit_code
        return _follow(monitor, watched, metrics, following, as_json=as_json)


def _follow(
    monitor: Monitor,
    watched: Watched,
    metrics: HealthMetrics,
    following: Following,
    *,
    as_json: bool,
) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if following.metrics_port is not None:
        metrics.serve(following.host, following.metrics_port)
    code, said, told = 0, "", ""
    while True:
        try:
            health = _look(monitor, watched, metrics)
            code = health.exit_code
            # In words only what is new: looks are many, and nobody may be reading. That it goes on
            # after a fault is news too.
            gist = _gist(health)
            if as_json or said or gist != told:
                _tell(health, watched, as_json=as_json)
            said, told = "", gist
        except GraftError as error:  # a version that was just pushed may be half there
            code = error.exit_code
            if str(error) != said:
                said = str(error)
                print(f"graft: {said}", file=sys.stderr, flush=True)
        if stopping.wait(following.seconds):
            return code


def _look(monitor: Monitor, watched: Watched, metrics: HealthMetrics) -> Health:
    version = watched.version()
    try:
        health = monitor.look(version, time.time(), _trainings(watched))
        _write(health, watched, metrics)
    except OSError as error:
        raise GraftError(
            f"{error.filename or watched.folder} cannot be written: {error.strerror or error}. The "
            "next look goes on from here."
        ) from None
    return health


def _tell(health: Health, watched: Watched, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(health.to_json(), ensure_ascii=False), flush=True)
    else:
        _say(health, watched)


def _gist(health: Health) -> str:
    """What makes a look worth a word: version, health, decision, what moved and what is damaged."""
    moved = [each.name for each in health.drift.signals if each.alarm]
    decision = health.decision
    return repr(
        (health.version, decision.health, decision.action, moved, list(health.requests.damaged))
    )


def _trainings(watched: Watched) -> list[Training]:
    return [
        Training(each.episode, each.at, _in_vain(watched.runs / each.run_id))
        for each in retrainings(watched.folder)
    ]


def _in_vain(run: Path) -> str:
    """How a run ended, where that is without a version and nothing goes on from there by itself."""
    words = {"failed": "failed", "not_blessed": "was not good enough"}.get(read_run(run).status)
    return f"run {run.name} {words}" if words else ""


def _write(health: Health, watched: Watched, metrics: HealthMetrics) -> None:
    """Leaves what the look found: decision and page last, when all else is there."""
    reference = watched.reference(health.version)
    assert reference is not None  # it was looked at
    metrics.show(health)
    write_atomically(watched.folder / METRICS, metrics.text())
    write_atomically(watched.page, _page(health, watched, reference).encode())
    content = json.dumps(health.to_json(), indent=2, ensure_ascii=False) + "\n"
    write_atomically(watched.folder / HEALTH, content.encode("utf-8", "backslashreplace"))


def _page(health: Health, watched: Watched, reference: Reference) -> str:
    heaviest = {digest for each in health.drift.signals if each.alarm for digest in each.heaviest}
    return render_page(health, reference, live_images(watched.log, heaviest, reference))


def _say(health: Health, watched: Watched) -> None:
    accuracy = health.accuracy
    print(f"{health.decision.health.capitalize()}. {health.decision.reason}")
    print(f"  {'model':<10}{health.model}, version {health.version}")
    requests = f"{health.requests.answers:,} requests in 24 hours"
    print(f"  {'images':<10}{health.images:,} different ones; {requests}")
    for signal_report in health.drift.signals:
        if signal_report.alarm:
            print(f"  {'moved':<10}{signal_report.name}: {signal_report.direction}")
    print(f"  {'accuracy':<10}{_estimated(accuracy)}; {accuracy.reference:.3f} before the push")
    if accuracy.labelled is not None:
        true = accuracy.labelled
        interval = interval_text((true.low, true.high))
        print(f"  {'labels':<10}{true.value:.3f} {interval} by {true.images:,} labels")
    if health.requests.damaged:
        names = ", ".join(health.requests.damaged)
        print(f"  {'damaged':<10}{names} (health.json says how)")
    print(f"  {'decision':<10}{health.decision.action}")
    print(f"  {'page':<10}{watched.page}", flush=True)


def _estimated(accuracy: AccuracyReport) -> str:
    if accuracy.estimate is None:
        return accuracy.why
    doubt = "" if accuracy.reliable else ", not to be relied on"
    interval = interval_text((accuracy.low, accuracy.high))
    return f"{accuracy.estimate:.3f} {interval} estimated{doubt}"
