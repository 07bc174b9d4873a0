"""`graft gateway`, `rollout`, `promote` and `rollback`: the way of a new version to all users."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.pusher.push import pushed_versions
from models.errors import GraftError, NotBlessedError, UsageError
from models.listening import host_and_port
from models.storage.alone import alone
from pipeline.served_model import Served
from serving.gateway.settings import GatewaySettings
from serving.rollout.controller import CanaryAwayError, Controller
from serving.rollout.gateway_log import Watched
from serving.rollout.judge import Rules
from serving.rollout.state import Phase, Rollout, RolloutFile

_LOCK: Final = "gateway.lock"
_TICK_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 180.0
_END_SECONDS: Final = 360.0
"""For a decision to be carried out: each of two servers may have a version to load."""


def gateway(
    settings: GatewaySettings, folder: Path, base_path: str, watched: Watched | None = None
) -> int:
    """Runs the gateway, and whatever is rolled out, until SIGTERM or SIGINT.

    Args:
        settings: of the gateway.
        folder: for its state, logs and nginx's files.
        base_path: of the model's versions, as the servers see it.
        watched: what is logged of requests; None where the servers log them.

    Raises:
        WorkspaceBusyError: another gateway is at work in the folder.
        GraftError: nginx is missing or refuses the configuration, or no server answers.
    """
    busy = f"Another `graft gateway` is at work in {folder}. End it first (Ctrl-C there)."
    with alone(folder / _LOCK, busy):
        return _gateway(settings, folder, base_path, watched)


def _gateway(
    settings: GatewaySettings, folder: Path, base_path: str, watched: Watched | None
) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    controller = Controller(settings, folder, base_path, Rules(), _say, watched)
    was_there = controller.nginx.pid is not None
    trouble = ""
    try:
        controller.step()
    except CanaryAwayError as error:
        trouble = str(error)
    except GraftError:
        # One that a killed gateway left goes on answering; a new one would hold the port for none.
        if not was_there:
            controller.close()
        raise
    where = host_and_port(settings.host, settings.port)
    scheme = "https" if settings.certificate else "http"
    _say(
        f"Gateway of {settings.model_name}: {scheme}://{where}/ (page and "
        f"REST), version {_read(controller.file).stable} is the stable one. "
        f"Logs and state: {folder}"
    )
    if watched is not None:
        _say(f"Requests are logged in {watched.settings.folder}.")
    if settings.host not in ("127.0.0.1", "localhost", "::1") and settings.keys is None:
        _say("Everybody who reaches this machine may ask: no API keys are set (--keys).")
    if trouble:
        _say(trouble)
    while not stopping.wait(_TICK_SECONDS):
        words = _trouble(controller)
        if words and words != trouble:
            _say(words)
        trouble = words
    controller.close()
    return 0


def _trouble(controller: Controller) -> str:
    """Servers come and go: the gateway goes on as it is, and tries again."""
    try:
        controller.step()
    except GraftError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Trial:
    """What `graft rollout` asks for.

    Attributes:
        version: None for the newest that was pushed.
        share: of the requests, percents.
        copies: of the requests, percents.
    """

    version: int | None
    share: int
    copies: int


def rollout(model: Served, folder: Path, trial: Trial) -> int:
    """Begins a rollout and follows it to its end, or follows the one that is under way.

    Raises:
        NotBlessedError: the canary was rolled back.
        UsageError: there is nothing to roll out, or no gateway.
        GraftError: no gateway acts.
    """
    file = RolloutFile(folder)
    found = file.read()
    if found is None or found.phase is Phase.STEADY:
        file.change(lambda s: s.begin(_version(model, s, trial.version), trial.share, trial.copies))
    elif trial.version not in (None, found.canary):
        raise UsageError(
            f"Version {found.canary} is being rolled out. `graft promote` or `graft rollback` "
            "ends that."
        )
    else:
        _say(f"Going on with the rollout of version {found.canary}.")
    return _follow(file)


def promote(folder: Path) -> int:
    """Makes the canary the stable version, whatever the judge thinks."""
    file = RolloutFile(folder)
    file.change(lambda state: state.promote("By hand."))
    return _follow(file)


def roll_back(folder: Path) -> int:
    """Takes the canary away."""
    file = RolloutFile(folder)
    file.change(lambda state: state.roll_back("By hand."))
    _wait(file, lambda state: state.phase is Phase.STEADY, _ANSWER_SECONDS)
    state = _read(file)
    _say(f"Version {state.stable} answers alone.")
    return 0


def _version(model: Served, state: Rollout, asked: int | None) -> int:
    pushed = sorted(pushed_versions(model.directory))
    if asked is not None:
        if asked not in pushed:
            raise UsageError(f"Version {asked} is not in {model.directory}; there are {pushed}.")
        return asked
    newer = [v for v in pushed if v > state.stable and v not in state.refused]
    if not newer:
        raise UsageError(
            f"No version is newer than the stable one, {state.stable}, and was not rolled back. "
            "`graft run` pushes one; --version names any."
            + (f" Of the last rollout: {state.reason}" if state.reason else "")
        )
    return newer[-1]


def _follow(file: RolloutFile) -> int:
    begun = _read(file)
    if begun.phase is Phase.STARTING:
        _say(f"Rolling out version {begun.canary} beside {begun.stable}.")
        _wait(file, lambda state: state.phase is not Phase.STARTING, _ANSWER_SECONDS)
    _wait(file, lambda state: state.phase is not Phase.WATCHING, None)
    _wait(file, lambda state: state.phase is Phase.STEADY, _END_SECONDS)
    ended = _read(file)
    if ended.stable == begun.canary:
        _say(f"Version {ended.stable} was promoted. {ended.reason}")
        return 0
    if ended.is_blameless:
        raise GraftError(f"The rollout of version {begun.canary} was ended. {ended.reason}")
    raise NotBlessedError(f"Version {begun.canary} was rolled back. {ended.reason}")


def _wait(file: RolloutFile, reached: Callable[[Rollout], bool], seconds: float | None) -> None:
    """Shows what the judge waits for, and what holds the gateway up, as it changes."""
    deadline = None if seconds is None else time.monotonic() + seconds
    said = ""
    while not reached(state := _read(file)):
        words = " ".join(filter(None, (state.reason, state.trouble)))
        if words and words != said:
            said = words
            _say(f"{state.phase.value.capitalize()}. {words}")
        if deadline is not None and time.monotonic() > deadline:
            raise GraftError(_stuck(state))
        time.sleep(_TICK_SECONDS)


def _stuck(state: Rollout) -> str:
    if not state.trouble:
        return "The gateway does not act. Is `graft gateway` running? It goes on from here."
    way_out = "; `graft rollback` takes the canary away" if state.phase is Phase.STARTING else ""
    return f"The gateway cannot go on: {state.trouble} It tries again{way_out}."


def _read(file: RolloutFile) -> Rollout:
    state = file.read()
    if state is None:
        raise UsageError("No gateway knows this model yet. `graft gateway` starts one.")
    return state


def _say(words: str) -> None:
    print(words, flush=True)
