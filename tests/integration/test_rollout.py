"""Rollouts with a real nginx: decisions, repair after a crash at any step, nothing lost."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import ask, needs_nginx
from google.protobuf import wrappers_pb2

from models.errors import GraftError
from pipeline import gateway_command
from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import GatewaySettings
from serving.rollout import model_server
from serving.rollout.controller import CanaryAwayError, Controller
from serving.rollout.judge import Rules
from serving.rollout.model_server import ModelOnServer
from serving.rollout.state import Phase, Rollout

pytestmark = needs_nginx
RULES = Rules(least_requests=60, least_pairs=10, error_margin=0.2, slow_margin=0.9)


class KilledError(Exception):
    """Stands for `kill -9`."""


@dataclass
class Place:
    """A gateway in front of a fake server, and what happened there."""

    server: FakeServer
    settings: GatewaySettings
    folder: Path
    said: list[str] = field(default_factory=list)

    def controller(self) -> Controller:
        return Controller(self.settings, self.folder, "/models/m", RULES, self.said.append)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    behaviours = {1: Behaviour(), 2: Behaviour()}
    with FakeServer(behaviours, {1}) as server:
        settings = GatewaySettings(
            "m", server.address, server.address, port=free_port(), requests_per_second=10_000
        )
        yield (here := Place(server, settings, tmp_path))
        here.controller().close()


@contextmanager
def _users(place: Place) -> Iterator[list[int]]:
    """Somebody asks all the time; gives the statuses."""
    statuses: list[int] = []
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            statuses.append(ask(place.settings.port).status)

    user = threading.Thread(target=run)
    user.start()
    yield statuses
    stopping.set()
    user.join()


def _run_until(controller: Controller, reached: Callable[[Rollout], bool]) -> Rollout:
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        state = controller.step()
        if reached(state):
            return state
        time.sleep(0.05)
    pytest.fail(f"still {state}")


def _steady(state: Rollout) -> bool:
    return state.phase is Phase.STEADY


def _begin(controller: Controller, share: int = 50) -> None:
    controller.step()
    controller.file.change(lambda state: state.begin(2, share, copies=50))


def test_a_good_canary_becomes_the_stable_one_and_no_request_is_lost(place: Place) -> None:
    controller = place.controller()
    _begin(controller)
    with _users(place) as statuses:
        state = _run_until(controller, _steady)
        assert ask(place.settings.port).document["version"] == 2
    assert (state.stable, state.canary, state.refused) == (2, None, ())
    assert "Of the canary's requests 0 of " in state.reason
    assert set(statuses) == {200}
    assert place.server.labels == {"stable": 2, "canary": 2}
    assert place.server.versions == {2}
    assert "versions: 2" in (place.folder / "models.config").read_text()
    kept = (place.folder / "rollouts" / "1" / "requests.jsonl").read_text().splitlines()
    assert len(kept) >= RULES.least_requests


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Behaviour("dog"), "The answers to "),
        (Behaviour(status=500), " failed."),
        (Behaviour(loads=False), "Version 2 does not load: made to fail"),
    ],
)
def test_a_bad_canary_is_rolled_back_in_words(
    place: Place, behaviour: Behaviour, words: str
) -> None:
    place.server.behaviours[2] = behaviour
    controller = place.controller()
    _begin(controller)
    with _users(place):
        state = _run_until(controller, _steady)
    assert (state.stable, state.refused) == (1, (2,))
    assert words in state.reason
    assert ask(place.settings.port).document["version"] == 1
    assert place.server.labels == {"stable": 1, "canary": 1}


def test_a_slow_canary_is_rolled_back(place: Place) -> None:
    """nginx's lines are made here: how long a request takes is the machine's matter."""
    controller = place.controller()
    _begin(controller)
    _run_until(controller, lambda state: state.phase is Phase.WATCHING)
    line = {"label": "", "status": 200, "grpc_status": "", "upstream_status": "200"}
    times = {"stable": "0.020", "canary": "0.200"}
    with (place.folder / "evidence.jsonl").open("a") as evidence:
        for who in ("stable", "canary") * 30:
            made = {**line, "variant": who, "upstream_seconds": times[who]}
            evidence.write(json.dumps(made) + "\n")
    state = _run_until(controller, _steady)
    assert (state.stable, state.refused) == (1, (2,))
    assert " took more than 30 ms." in state.reason


def test_by_hand(place: Place) -> None:
    controller = place.controller()
    _begin(controller)
    _run_until(controller, lambda state: state.phase is Phase.WATCHING)
    controller.file.change(lambda state: state.roll_back("By hand."))
    assert _run_until(controller, _steady).stable == 1
    _begin(controller)
    _run_until(controller, lambda state: state.phase is Phase.WATCHING)
    controller.file.change(lambda state: state.promote("By hand."))
    assert _run_until(controller, _steady).stable == 2


@pytest.mark.parametrize("ends", ["promote", "roll_back"])
def test_a_crash_between_any_two_steps_is_repaired(
    place: Place, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller is cut off after its n-th act outside, for each n, and a new one goes on."""
    acts, cut_after = 0, 0

    def counted(method: Any) -> Any:
        def run(*args: Any, **keywords: Any) -> Any:
            nonlocal acts
            result = method(*args, **keywords)
            acts += 1
            if acts == cut_after:
                raise KilledError
            return result

        return run

    monkeypatch.setattr(ModelOnServer, "_reload", counted(ModelOnServer._reload))
    monkeypatch.setattr(Controller, "_direct", counted(Controller._direct))
    monkeypatch.setattr(Controller, "_advance", counted(Controller._advance))
    first = place.controller()
    first.step()
    statuses = []
    for cut_after in range(1, 8):  # noqa: B007 (read by `counted`)
        acts = 0
        controller = place.controller()
        state = controller.file.read()
        assert state is not None
        other = 3 - state.stable
        controller.file.change(partial(Rollout.begin, canary=other, share=50, copies=0))
        ended = False
        for _ in range(12):
            try:
                state = controller.step()
            except KilledError:
                controller = place.controller()
                continue
            if state.phase is Phase.WATCHING and not ended:
                ended = True
                controller.file.change(lambda s: getattr(s, ends)("By hand."))
            statuses.append(ask(place.settings.port).status)
        assert state.phase is Phase.STEADY
        assert state.stable == (other if ends == "promote" else 3 - other)
        assert place.server.labels == {"stable": state.stable, "canary": state.stable}
        assert ask(place.settings.port).document["version"] == state.stable
    assert set(statuses) == {200}


def test_evidence_outlives_the_controller(place: Place) -> None:
    controller = place.controller()
    _begin(controller)
    _run_until(controller, lambda state: state.phase is Phase.WATCHING)
    for _ in range(30):
        ask(place.settings.port)
    controller.step()
    again = place.controller()
    assert again.step().phase is Phase.WATCHING
    assert sum(_seen(again)) > 0
    for _ in range(600):  # nginx writes its log when it gets to it
        controller.step()
        again.step()
        if sum(_seen(again)) >= 30 and _seen(again) == _seen(controller):
            return
        time.sleep(0.1)
    pytest.fail(f"one saw {_seen(controller)} requests, the other {_seen(again)}")


def _seen(controller: Controller) -> list[int]:
    """Requests of the stable and of the canary that the judge was shown."""
    assert controller._evidence is not None
    return list(controller._evidence.judge._errors.requests)


def test_nobody_is_let_in_before_there_are_labels(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, ensure = place.controller(), Nginx.ensure
    labels = []

    def noted(self: Nginx) -> bool:
        labels.append(dict(place.server.labels))
        return ensure(self)

    monkeypatch.setattr(Nginx, "ensure", noted)
    place.server.labels = {}
    controller.step()
    assert labels == [{"stable": 1, "canary": 1}]


def test_a_server_that_forgot_its_labels_gets_them_again(place: Place) -> None:
    controller = place.controller()
    controller.step()
    place.server.labels = {}
    controller.step()
    assert place.server.labels == {"stable": 1, "canary": 1}
    reloads = place.server.reloads
    controller.step()
    assert place.server.reloads == reloads


def test_a_server_that_answers_when_versions_are_loaded_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = place.controller()
    _begin(controller)
    server, reload = place.server, place.server.reload

    def late(*request: Any) -> Any:
        server.answers_late = 0.0 if server.versions == {1, 2} else 3.0
        return reload(*request)

    monkeypatch.setattr(model_server, "_TIMEOUT", 1.0)
    monkeypatch.setattr(server, "reload", late)
    assert controller.step().phase is Phase.WATCHING
    assert server.labels == {"stable": 1, "canary": 2}


def test_a_canary_that_takes_its_server_along_is_rolled_back(tmp_path: Path, place: Place) -> None:
    place.server.labels = {"stable": 1}
    folder = tmp_path / "two"
    with FakeServer({1: Behaviour(), 2: Behaviour()}, {1}) as own:
        place.settings = replace(place.settings, canary=own.address)
        here = replace(place, folder=folder)
        controller = here.controller()
        _begin(controller)
        _run_until(controller, lambda state: state.phase is Phase.WATCHING)
    with _users(place) as statuses:
        while not _steady(controller.file.read() or pytest.fail("no state")):
            with pytest.raises(CanaryAwayError, match="No model server answers at"):
                controller.step()
    assert set(statuses) == {200}
    state = controller.file.read()
    assert state is not None
    assert (state.stable, state.refused) == (1, (2,))
    assert " failed." in state.reason
    assert "versions: 1" in (folder / "canary.config").read_text()

    controller.close()
    controller = here.controller()
    with pytest.raises(CanaryAwayError):
        controller.step()
    assert ask(place.settings.port).document["version"] == 1
    controller.close()


@pytest.mark.parametrize("ends", ["promote", "roll_back"])
def test_two_servers_of_which_one_lacks_a_version_come_to_an_end(
    tmp_path: Path, place: Place, ends: str
) -> None:
    """What loads on the canary's server need not on the stable's, and the other way round."""
    place.server.labels = {"stable": 1}
    place.server.behaviours[2] = Behaviour(loads=False)
    with FakeServer({1: Behaviour(), 2: Behaviour()}, {1}) as own:
        place.settings = replace(place.settings, canary=own.address)
        controller = replace(place, folder=tmp_path / "two").controller()
        _begin(controller)
        _run_until(controller, lambda state: state.phase is Phase.WATCHING)
        own.behaviours[1] = Behaviour(loads=ends == "promote")
        controller.file.change(lambda state: getattr(state, ends)("By hand."))
        if ends == "promote":
            state = _run_until(controller, _steady)
            assert "Version 2 does not load: made to fail" in state.reason
        else:
            with pytest.raises(CanaryAwayError, match="Version 1 does not load: made to fail"):
                controller.step()
            state = controller.file.read() or pytest.fail("no state")
            assert "Version 1 does not load" in state.trouble
        assert (state.phase, state.stable, state.refused) == (Phase.STEADY, 1, (2,))
        assert ask(place.settings.port).document["version"] == 1
        controller.close()


def test_a_canary_whose_server_is_away_is_waited_for_in_words(
    tmp_path: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeServer({1: Behaviour()}, {1}) as gone:
        place.settings = replace(place.settings, canary=gone.address)
        controller = replace(place, folder=tmp_path / "two").controller()
        _begin(controller)
    with pytest.raises(CanaryAwayError):
        controller.step()
    with pytest.raises(GraftError, match=r"cannot go on: No model server answers at .*rollback`"):
        gateway_command._wait(controller.file, lambda _: False, 0.0)
    assert "Starting. No model server answers at" in capsys.readouterr().out
    controller.file.change(lambda state: state.roll_back("By hand."))
    with pytest.raises(CanaryAwayError):
        controller.step()
    state = controller.file.read() or pytest.fail("no state")
    assert (state.phase, state.stable) == (Phase.STEADY, 1)
    controller.close()
    assert (controller.file.read() or state).trouble == ""


def test_a_server_that_refuses_ends_a_promotion(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = place.controller()
    _begin(controller)
    _run_until(controller, lambda state: state.phase is Phase.WATCHING)

    def refuse(_: object, context: Any) -> None:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not now")

    monkeypatch.setattr(place.server, "reload", refuse)
    controller.file.change(lambda state: state.promote("By hand."))
    for _ in range(12):
        with suppress(GraftError):
            controller.step()
    state = controller.file.read() or pytest.fail("no state")
    assert (state.phase, state.stable, state.refused) == (Phase.STEADY, 1, (2,))
    assert "does not take the versions [1, 2] of m: not now (INVALID_ARGUMENT)" in state.reason
    assert ask(place.settings.port).document["version"] == 1


@pytest.mark.parametrize("state", ["", "END"])
def test_a_stable_version_that_is_gone_is_told_soon(
    place: Place, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    controller = place.controller()
    controller.step()
    states = {1: (state, ""), 2: ("AVAILABLE", "")}
    monkeypatch.setattr(ModelOnServer, "_states", lambda _: states)
    monkeypatch.setattr(place.server, "reload", lambda *_: wrappers_pb2.BytesValue())
    monkeypatch.setattr("serving.rollout.controller._NOTICE_SECONDS", 0.2)
    with pytest.raises(GraftError, match=r"not available after 0.2 s.* is the stable .*rollout"):
        controller.step()


def test_a_server_that_is_away_is_told(tmp_path: Path, place: Place) -> None:
    with FakeServer({1: Behaviour()}, {1}) as gone:
        address = gone.address
    away = GatewaySettings("m", address, address, port=free_port())
    controller = Controller(away, tmp_path / "away", "/models/m", RULES, place.said.append)
    with pytest.raises(GraftError, match="No model server answers at"):
        controller.step()
    controller.close()
