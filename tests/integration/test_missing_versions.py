"""Versions that a model server does not know of: how long a rollout waits for them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import needs_nginx

from serving.gateway.settings import GatewaySettings
from serving.rollout.controller import Controller
from serving.rollout.judge import Rules
from serving.rollout.model_server import ModelOnServer, NotLoadedError
from serving.rollout.state import Phase


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer({number: Behaviour() for number in (1, 2, 3)}, {3}) as server:
        yield server


@pytest.fixture
def states(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[str, str]]:
    """What the server says of versions; it does nothing about them."""
    states = {3: ("AVAILABLE", "")}
    monkeypatch.setattr(ModelOnServer, "_states", lambda _: states)
    monkeypatch.setattr(ModelOnServer, "_reload", lambda *_, **__: None)
    return states


@pytest.mark.parametrize(
    ("notice", "missing"),
    [({1: 0.2}, 1), ({2: 0.2}, 2), ({}, 1)],
    ids=["the stable answered before", "the canary did", "both are new"],
)
def test_what_answered_before_is_not_waited_for_as_what_is_new(
    server: FakeServer, states: object, notice: dict[int, float], missing: int
) -> None:
    del states
    place = ModelOnServer(server.address, "m", "/models/m")
    began = time.monotonic()
    with pytest.raises(NotLoadedError, match=f"Version {missing} was not available after") as told:
        place.settle({"stable": 1, "canary": 2}, 2.0, notice)
    assert told.value.versions == {missing}
    assert (time.monotonic() - began < 1.9) == bool(notice)


def test_that_a_new_version_is_unknown_so_far_is_told_at_once(
    server: FakeServer, states: dict[int, tuple[str, str]]
) -> None:
    told: list[str] = []

    def waiting(words: str) -> None:
        told.append(words)
        states[2] = ("AVAILABLE", "")

    place = ModelOnServer(server.address, "m", "/models/m")
    assert place.settle({"canary": 2}, 60.0, waiting=waiting)
    (words,) = told
    assert words.endswith(
        "does not know of version 2 in /models/m yet; it is waited for, 60 s in all."
    )


def test_what_is_loaded_again_has_its_time(
    server: FakeServer, states: dict[int, tuple[str, str]]
) -> None:
    states[1] = ("LOADING", "")
    place = ModelOnServer(server.address, "m", "/models/m")
    with pytest.raises(NotLoadedError, match="Version 1 was not available after 2 s"):
        place.settle({"stable": 1}, 2.0, {1: 0.2})


@needs_nginx
def test_a_rollout_ends_soon_without_its_stable_version(
    server: FakeServer,
    states: dict[int, tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    server.labels = {"stable": 3, "canary": 3}
    settings = GatewaySettings("m", server.address, server.address, port=free_port())
    controller = Controller(settings, tmp_path, "/models/m", Rules(), said.append)
    try:
        controller.step()
        monkeypatch.setattr("serving.rollout.controller._NOTICE_SECONDS", 0.2)
        states.clear()
        states[2] = ("AVAILABLE", "")
        controller.file.change(lambda state: state.begin(2, 50, 50))
        ended = controller.step()
    finally:
        controller.close()
    assert (ended.phase, ended.is_blameless) == (Phase.ROLLING_BACK, True)
    assert "Version 3 was not available after 0.2 s" in ended.reason
