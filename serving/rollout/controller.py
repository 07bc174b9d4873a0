"""Brings servers and gateway to where the state says, and the state to a decision."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from models.errors import GraftError
from models.storage.atomic_write import write_atomically
from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import CANARY, STABLE, GatewaySettings, Server, Traffic
from serving.rollout.copies import Copies
from serving.rollout.evidence import Evidence, add_pair
from serving.rollout.gateway_log import GatewayLog, Watched
from serving.rollout.judge import Answer, Decision, Judge, Rules
from serving.rollout.model_server import (
    ModelOnServer,
    NotLoadedError,
    RefusedError,
    UnreachableError,
    config_text,
    model_config,
)
from serving.rollout.state import Phase, Rollout, RolloutFile

_LOAD_SECONDS: Final = 120.0
_NOTICE_SECONDS: Final = 5.0
"""Until a version that answered before, and that a server does not know of, is told to be missing.
A new one may still be on its way to where the server looks."""
_MOST_REFUSALS: Final = 5
"""Looks in a row at which a server may refuse what a rollout needs; then the canary is given up."""
_EVIDENCE: Final = "evidence.jsonl"
_REQUESTS: Final = "requests.jsonl"
_PORT: Final = "copies-to"


class CanaryAwayError(GraftError):
    """The canary's own server is away, or lacks a version; all that does not need it was done."""


class Controller:
    """The one that acts; commands only change the state.

    Each step may be cut off anywhere, and is done again from its beginning by the next controller:
    it first looks at what is, and changes what differs. Users lose nothing on the way: a version
    gets requests after it is loaded, and goes after nobody is sent to it. A canary that takes a
    server of its own along is judged by the requests that failed there.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        folder: Path,
        base_path: str,
        rules: Rules,
        say: Callable[[str], None],
        watched: Watched | None = None,
    ) -> None:
        """Takes what the gateway serves, and the workspace's folder for it.

        Args:
            settings: of the gateway.
            folder: for state, evidence, logs and nginx's files.
            base_path: of the model's versions, as the servers see it.
            rules: of the judge.
            say: gets each thing that happened, in words.
            watched: what is logged of requests; None where the server logs them itself.

        Raises:
            UsageError: nginx is not installed.
        """
        self.file = RolloutFile(folder)
        self._settings = settings
        self._base_path = base_path
        self._rules = rules
        self._say = say
        self._evidence: Evidence | None = None
        self._away: CanaryAwayError | None = None
        self._refusals = 0
        servers = {STABLE: settings.stable, CANARY: settings.canary}
        self._log = None if watched is None else GatewayLog(watched, folder / _REQUESTS)
        self._steady = Traffic(copies=0 if watched is None else watched.percent)
        logged = (lambda _: None) if self._log is None else self._log.copied
        self._copies = Copies(settings.model_name, servers, self._compared, _port(folder), logged)
        write_atomically(folder / _PORT, self._copies.address.encode())
        self.nginx = Nginx(settings, self._copies.address, folder)
        self._models = {
            server: ModelOnServer(server, settings.model_name, base_path)
            for server in servers.values()
        }

    def step(self) -> Rollout:
        """Does what is to be done now; returns the state after it, which has the trouble, if any.

        Raises:
            CanaryAwayError: the canary has a server of its own, which cannot be reached, or does
                not load a version that nobody is sent to.
            GraftError: a server cannot be reached, or nginx refuses.
        """
        self._away = None
        try:
            state = self._step()
            if self._away is not None:
                raise self._away
        except GraftError as error:
            self.file.note(str(error))
            raise
        self.file.note("")
        return self.file.read() or state

    def _step(self) -> Rollout:
        state = self.file.read() or self._first()
        if state.phase is Phase.STEADY and self.nginx.pid is None:
            # Nobody is let in before there are the labels that nginx sends requests to.
            self._stay(state)
        self.nginx.ensure()
        match state.phase:
            case Phase.STEADY:
                self._direct(self._steady)
                self._stay(state)
            case Phase.STARTING:
                self._begin(state)
            case Phase.WATCHING:
                self._watch(state)
            case Phase.PROMOTING:
                self._promote(state)
            case Phase.ROLLING_BACK:
                self._roll_back(state)
        if self._log is not None:
            self._log.read_on()
        return state

    def close(self) -> None:
        """Ends the gateway after the requests that are under way."""
        self.nginx.stop()
        self._copies.close()
        if self._log is not None:
            self._log.read_on()
            self._log.close()
        self.file.note("")

    def _first(self) -> Rollout:
        """What answers now becomes the stable version."""
        available = self._models[self._settings.stable].available()
        if not available:
            raise GraftError(
                f"The server at {self._settings.stable.rest} has no available version of "
                f"{self._settings.model_name} yet."
            )
        return self.file.create(Rollout(stable=max(available)))

    def _stay(self, state: Rollout) -> None:
        try:
            self._settle(state.stable, state.stable, known={state.stable})
        except NotLoadedError as error:
            raise NotLoadedError(self._without_stable(error), error.versions) from error

    def _begin(self, state: Rollout) -> None:
        assert state.canary is not None
        if not self._is_settled(state, state.stable, state.canary, Rollout.roll_back):
            return
        # nginx appends, so that the file may be emptied under it; no trial writes to it yet.
        (self.file.folder / _EVIDENCE).write_bytes(b"")
        self._open_evidence(state)
        self._direct(Traffic(state.share, state.copies, trial=True))
        self._advance(state, Rollout.watching)

    def _watch(self, state: Rollout) -> None:
        assert state.canary is not None
        evidence = self._evidence or self._open_evidence(state)
        try:
            if not self._is_settled(state, state.stable, state.canary, Rollout.roll_back):
                return
        except CanaryAwayError as error:
            self._away = error
        self._direct(Traffic(state.share, state.copies, trial=True))
        evidence.read_on()
        verdict = evidence.judge.verdict()
        if verdict.decision is Decision.PROMOTE:
            self._decide(state, lambda s: s.promote(verdict.reason))
        elif verdict.decision is Decision.ROLL_BACK:
            self._decide(state, lambda s: s.roll_back(verdict.reason))
        else:
            self._advance(state, lambda s: s.noted(verdict.reason))

    def _promote(self, state: Rollout) -> None:
        assert state.canary is not None
        if not self._is_settled(state, state.canary, state.canary, Rollout.turn_back):
            return
        self._direct(self._steady)
        self._keep_evidence(state)
        self._advance(state, Rollout.settled)

    def _roll_back(self, state: Rollout) -> None:
        # First the users, then the labels: nobody is sent to a version that goes.
        self._direct(self._steady)
        try:
            self._settle(state.stable, state.stable, known={state.stable})
        except (NotLoadedError, RefusedError) as error:
            if not self._is_final(error):
                raise
            # Nothing is left to take back: what is missing is told from now on.
        self._refusals = 0
        self._keep_evidence(state)
        self._advance(state, Rollout.settled)

    def _open_evidence(self, state: Rollout) -> Evidence:
        folder = self._evidence_folder(state)
        requests = self.file.folder / _EVIDENCE
        evidence = Evidence(folder, requests, state.share / 100, Judge(self._rules))
        evidence.start(self.file.folder / _REQUESTS)
        self._evidence = evidence
        return evidence

    def _keep_evidence(self, state: Rollout) -> None:
        """Puts the requests beside the compared answers: why it was decided so can be looked up."""
        requests = self.file.folder / _EVIDENCE
        if requests.exists():
            folder = self._evidence_folder(state)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(requests, folder / "requests.jsonl")

    def _evidence_folder(self, state: Rollout) -> Path:
        return self.file.folder / "rollouts" / f"{state.number}"

    def _compared(self, stable: Answer | None, canary: Answer | None) -> None:
        if self._evidence is not None:
            add_pair(self._evidence.pairs, stable, canary)

    def _is_settled(
        self, state: Rollout, stable: int, canary: int, give_up: Callable[[Rollout, str], Rollout]
    ) -> bool:
        """Moves the labels; where that cannot be, the canary is given up with the reason.

        Raises:
            CanaryAwayError: as of `_settle`.
            GraftError: as of `_settle`.
        """
        try:
            self._settle(stable, canary, known={state.stable})
        except (NotLoadedError, RefusedError) as error:
            if not self._is_final(error):
                raise
            self._refusals = 0
            words = str(error)
            if isinstance(error, NotLoadedError) and stable != canary and stable in error.versions:
                words = f"{self._without_stable(error)} Nothing was found against version {canary}."
                give_up = Rollout.end
            self._decide(state, lambda s: give_up(s, words))
            return False
        self._refusals = 0
        return True

    def _without_stable(self, error: NotLoadedError) -> str:
        return (
            f"{error} It is the stable version. If it is gone for good, end the gateway, remove"
            f" rollout.json and the .config files from {self.file.folder}, and start `graft"
            " serve` and the gateway anew: the newest version is the stable one then."
        )

    def _is_final(self, error: GraftError) -> bool:
        """Whether a server was given all the time that it may need.

        It may refuse a label while it is busy with another configuration.
        """
        self._refusals += isinstance(error, RefusedError)
        return isinstance(error, NotLoadedError) or self._refusals >= _MOST_REFUSALS

    def _settle(self, stable: int, canary: int, known: Collection[int]) -> None:
        """Moves the labels; a server that starts anew finds them in its configuration file.

        Args:
            stable: version.
            canary: version.
            known: versions that were loaded before.

        Raises:
            NotLoadedError: a version does not become available.
            RefusedError: a server does not take the versions.
            CanaryAwayError: two versions are to answer, and the canary's server is away. Where one
                is, a server of the canary's that is away, refuses or does not load it is passed
                over, and `step` tells it at its end.
            UnreachableError: the stable's server cannot be reached.
        """
        labels = {STABLE: stable, CANARY: canary}
        if self._log is not None:
            self._log.labels = labels
        for server in self._models:
            here = {
                label: labels[label]
                for label, at in ((STABLE, self._settings.stable), (CANARY, self._settings.canary))
                if at == server
            }
            if self._moved(server, here, known, nobody_is_hurt=stable == canary):
                moved = " and ".join(f"{label} = {version}" for label, version in here.items())
                self._say(f"Labels at {server.rest}: {moved}.")
            name = "-".join(here) if len(self._models) > 1 else "models"
            config = model_config(
                self._settings.model_name, self._base_path, set(here.values()), here
            )
            write_atomically(self.file.folder / f"{name}.config", config_text(config).encode())

    def _moved(
        self, server: Server, here: dict[str, int], known: Collection[int], nobody_is_hurt: bool
    ) -> bool:
        try:
            notice = dict.fromkeys(known, _NOTICE_SECONDS)
            return self._models[server].settle(here, _LOAD_SECONDS, notice, self.file.note)
        except (UnreachableError, NotLoadedError, RefusedError) as error:
            if server == self._settings.stable:
                raise
            if nobody_is_hurt:
                self._away = CanaryAwayError(str(error))
                return False
            if not isinstance(error, UnreachableError):
                raise
            raise CanaryAwayError(str(error)) from error

    def _direct(self, traffic: Traffic) -> None:
        self._copies.comparing = traffic.trial
        if self._log is not None:
            self._log.share = traffic.copies
        if self.nginx.direct(traffic):
            self._say(f"{traffic.share} % of the requests go to the canary.")

    def _advance(self, seen: Rollout, step: Callable[[Rollout], Rollout]) -> None:
        """Changes the state, unless a command changed it meanwhile."""
        self.file.change(lambda now: step(now) if now == seen else now)

    def _decide(self, seen: Rollout, step: Callable[[Rollout], Rollout]) -> None:
        self._advance(seen, step)
        decided = self.file.read() or seen
        self._say(f"{decided.phase.value.capitalize()} version {decided.canary}: {decided.reason}")
        self._evidence = None


def _port(folder: Path) -> int:
    """Where a former controller took copies; another port would mean to reload nginx."""
    try:
        return int((folder / _PORT).read_text(encoding="ascii").rpartition(":")[2])
    except (OSError, ValueError):
        return 0
