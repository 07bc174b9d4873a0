"""`graft gateway`, `rollout` and `rollback` as processes, killed on the way."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_model_server import Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import ask, needs_nginx

from pipeline.cli import main
from serving.gateway.nginx_process import Nginx
from serving.gateway.settings import GatewaySettings
from serving.rollout.state import Phase, RolloutFile

pytestmark = needs_nginx


class Place:
    """A workspace with two pushed versions, the server of the first, and the way to a gateway."""

    def __init__(self, folder: Path, server: FakeServer) -> None:
        self.port = free_port()
        self.config = folder / "graft.yaml"
        self.config.write_text(f"workspace: {folder / 'w'}\nserving: {{model_name: m}}\n")
        for version in (1, 2):
            (folder / "w" / "serving" / "m" / f"{version}").mkdir(parents=True)
        self.server = server
        self.folder = folder / "w" / "gateway"
        self.state = RolloutFile(self.folder)

    def graft(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "pipeline.cli", *arguments, "--config", str(self.config)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def gateway(self) -> "subprocess.Popen[str]":
        address = self.server.address
        process = self.graft(
            *["gateway", "--port", str(self.port), "--rate", "10000"],
            *["--server", address.rest, "--server-grpc", address.grpc],
        )
        assert process.stdout is not None
        while "is the stable one" not in (line := process.stdout.readline()):
            assert line, process.stderr and process.stderr.read()
        return process

    def wait_for(self, phase: Phase) -> None:
        deadline = time.monotonic() + 100
        while (state := self.state.read()) is None or state.phase is not phase:
            assert time.monotonic() < deadline, state
            time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeServer({1: Behaviour(), 2: Behaviour("dog")}, {1}) as server:
        here = Place(tmp_path, server)
        yield here
        settings = GatewaySettings("m", server.address, server.address, port=here.port)
        Nginx(settings, "", here.folder).stop()  # where a test failed half-way


@contextmanager
def _users(place: Place) -> Iterator[list[int]]:
    statuses: list[int] = []
    stopping = threading.Event()

    def use() -> None:
        while not stopping.is_set():
            statuses.append(ask(place.port).status)

    thread = threading.Thread(target=use)
    thread.start()
    yield statuses
    stopping.set()
    thread.join()


def test_a_rollout_outlives_the_gateway_and_the_command(place: Place) -> None:
    gateway = place.gateway()
    command = place.graft("rollout", "--canary", "20%", "--copies", "50%")
    place.wait_for(Phase.WATCHING)
    for process in (gateway, command):
        process.send_signal(signal.SIGKILL)
        process.communicate()
    gateway = place.gateway()
    following = place.graft("rollout")
    assert following.stdout is not None
    assert following.stdout.readline() == "Going on with the rollout of version 2.\n"
    with _users(place) as statuses:
        complaint = following.communicate(timeout=100)[1]
    assert following.returncode == 4, complaint
    assert "Version 2 was rolled back. The answers to " in complaint
    assert set(statuses) == {200}
    gateway.terminate()
    assert gateway.communicate(timeout=60)[1] == ""
    assert gateway.returncode == 0
    assert not _is_alive(place.folder / "nginx.pid")


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_canary_is_not_blamed_for_a_stable_version_that_is_gone(place: Place, when: str) -> None:
    place.server.behaviours[2] = Behaviour()
    gateway = place.gateway()
    if when == "before":
        _lose_the_stable(place)
        command = place.graft("rollout")
    else:
        command = place.graft("rollout")
        place.wait_for(Phase.WATCHING)
        _lose_the_stable(place)
    complaint = command.communicate(timeout=100)[1]
    assert command.returncode == 1, complaint
    assert "The rollout of version 2 was ended. Version 1 does not load" in complaint
    assert "It is the stable version. If it is gone for good, end the gateway" in complaint
    assert "Nothing was found against version 2." in complaint
    place.server.behaviours[1] = Behaviour()
    following = place.graft("rollout", "--canary", "50%", "--copies", "50%")
    with _users(place):
        assert following.wait(timeout=100) == 0, following.communicate()
    state = place.state.read()
    assert state is not None
    assert (state.stable, state.refused) == (2, ())
    gateway.terminate()
    gateway.communicate(timeout=60)


def _lose_the_stable(place: Place) -> None:
    place.server.behaviours[1] = Behaviour(loads=False)
    place.server.versions.discard(1)


def test_a_gateway_that_finds_no_server_leaves_no_nginx_behind(place: Place) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    process = place.graft("gateway", "--port", str(place.port), "--server", nowhere)
    complaint = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "No model server answers" in complaint
    assert not _is_alive(place.folder / "nginx.pid")


def test_a_second_gateway_leaves_the_first_as_it_is(place: Place) -> None:
    gateway = place.gateway()
    before = (place.folder / "nginx.conf").read_bytes()
    second = place.graft(
        "gateway", "--port", str(free_port()), "--server", place.server.address.rest
    )
    complaint = second.communicate(timeout=60)[1]
    assert second.returncode == 5
    assert "Another `graft gateway` is at work" in complaint
    assert (place.folder / "nginx.conf").read_bytes() == before
    assert ask(place.port).status == 200
    gateway.terminate()
    gateway.communicate(timeout=60)


def _is_alive(pid: Path) -> bool:
    return pid.exists() and Path(f"/proc/{pid.read_text().strip()}").exists()


def test_what_cannot_be_done_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(place.config)]

    def said(*arguments: str) -> str:
        assert main([*arguments, *config]) == 2
        return capsys.readouterr().err

    assert "`graft gateway` starts one" in said("rollout")
    assert "`graft gateway` starts one" in said("promote")
    gateway = place.gateway()
    assert "There is no canary to roll back" in said("rollback")
    assert "No canary answers that could be promoted" in said("promote")
    assert "Version 7 is not in " in said("rollout", "--version", "7")
    assert "Version 1 is the stable one already" in said("rollout", "--version", "1")
    gateway.terminate()
    gateway.communicate(timeout=60)
    assert "HOST:PORT" in said("gateway", "--server", "nowhere")
    assert "needs two servers" in said("gateway", "--grpc-port", "1")
    assert "TLS needs both files" in said("gateway", "--tls-key", "x")
    with pytest.raises(SystemExit):
        main(["rollout", "--canary", "110%", *config])
    assert "expected whole percents" in capsys.readouterr().err
