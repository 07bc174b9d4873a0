"""A whole rollout in front of the embedded server: real models, real labels, real reloads."""

import json
import shutil
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from free_ports import free_port
from gateway_clients import ask, needs_nginx
from integration.conftest import png

from serving.gateway.settings import GatewaySettings, Server
from serving.rollout.controller import Controller
from serving.rollout.judge import Rules
from serving.rollout.state import Phase, Rollout
from serving.server_process import ServerProcess

pytestmark = needs_nginx
RULES = Rules(least_requests=60, least_pairs=10, error_margin=0.2, slow_margin=0.9)


@pytest.fixture(scope="module")
def controller(
    small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controller]:
    folder = tmp_path_factory.mktemp("rollout")
    base_path = folder / "m"
    shutil.copytree(small_models[0], base_path / "1")
    with ServerProcess("m", base_path) as process:
        addresses = process.wait()
        for version, model in ((2, small_models[1]), (3, small_models[0])):
            shutil.copytree(model, folder / "part")
            (folder / "part").rename(base_path / f"{version}")
        server = Server(addresses.url.removeprefix("http://"), addresses.target)
        settings = GatewaySettings(
            "m", server, server, port=free_port(), requests_per_second=10_000
        )
        running = Controller(settings, folder / "gateway", str(base_path), RULES, print)
        running.file.create(Rollout(stable=1))
        running.step()
        yield running
        running.close()


def _roll_out(controller: Controller, version: int) -> tuple[Rollout, set[int]]:
    """The state at the end, and the statuses that users saw meanwhile."""
    statuses: set[int] = set()
    random, stopping = np.random.default_rng(version), threading.Event()

    def use() -> None:
        while not stopping.is_set():
            red, green, blue = (int(value) for value in random.integers(0, 256, 3))
            image = {"b64": b64encode(png((red, green, blue))).decode()}
            body = json.dumps({"instances": [{"image_bytes": image}]}).encode()
            statuses.add(ask(controller.nginx.settings.port, body=body).status)

    controller.file.change(lambda state: state.begin(version, 50, copies=50))
    user = threading.Thread(target=use)
    user.start()
    state = controller.step()
    while state.phase is not Phase.STEADY and user.is_alive():
        state = controller.step()
        stopping.wait(0.1)
    stopping.set()
    user.join()
    return state, statuses


def test_another_model_is_rolled_back(controller: Controller) -> None:
    state, statuses = _roll_out(controller, 2)
    assert (state.stable, state.refused) == (1, (2,))
    assert "images differ" in state.reason
    assert statuses == {200}


def test_the_same_model_is_promoted(controller: Controller) -> None:
    state, statuses = _roll_out(controller, 3)
    assert state.stable == 3
    assert statuses == {200}
    metadata = ask(controller.nginx.settings.port, "/v1/models/m/metadata", None).document
    assert metadata["model_spec"]["version"] == "3"
