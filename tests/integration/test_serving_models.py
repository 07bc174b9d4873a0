"""Several models in one registry: policies, labels, reloads, retries, slow and broken ones."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from plain_models import config_of, write_v1

from serving.errors import ServingError
from serving.servables.loader import LoadedModel
from serving.servables.memory import keep_what_is_imported
from serving.servables.model_config import ModelConfig, VersionPolicy
from serving.servables.registry import Registry, Target
from serving.servables.version_manager import LoadOptions
from serving.servables.versions import State
from serving.server.config_file import ConfigFile

ALL = VersionPolicy(latest=None)
OPTIONS = LoadOptions(poll_seconds=0.02, retries=1, retry_seconds=0.0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keep_what_is_imported()
    directory = tmp_path_factory.mktemp("exported") / "1"
    write_v1(directory, 2.0)
    return directory


@pytest.fixture
def base_path(tmp_path: Path, exported: Path) -> Path:
    """A model with versions 1, 2 and 3."""
    for number in (1, 2, 3):
        shutil.copytree(exported, tmp_path / "m" / str(number))
    time.sleep(2 * OPTIONS.poll_seconds)  # whose files still change is not loaded
    return tmp_path / "m"


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry(load, OPTIONS)
    yield made
    made.close()


def load(name: str, version: int, directory: Path) -> LoadedModel:
    return LoadedModel(directory)


def available(registry: Registry, name: str = "m") -> list[int]:
    return [s.version for s in registry.statuses(Target(name)) if s.is_available]


def await_available(registry: Registry, *versions: int) -> None:
    def reached(statuses: list) -> bool:
        states = {status.version: status.state for status in statuses}
        served = {version for version, state in states.items() if state is State.AVAILABLE}
        return served == set(versions) and State.UNLOADING not in states.values()

    assert registry.wait_for("m", reached, 60), registry.statuses(Target("m"))


def release(pipe: Path) -> None:
    """Has who waits for a named pipe go on."""
    with suppress(OSError):  # nobody waits just now
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def refusal(action: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ServingError) as caught:
        action()
    return caught.value.code.name, caught.value.message


def test_a_policy_says_which_versions_are_served(registry: Registry, base_path: Path) -> None:
    registry.reload([ModelConfig("m", base_path)])
    assert available(registry) == [3]
    registry.reload([ModelConfig("m", base_path, ALL)])
    assert available(registry) == [3, 2, 1]
    registry.reload([ModelConfig("m", base_path, VersionPolicy(latest=2))])
    await_available(registry, 3, 2)
    specific = VersionPolicy(latest=None, specific=frozenset({1, 9}))
    registry.reload([ModelConfig("m", base_path, specific)])
    await_available(registry, 1)
    shutil.rmtree(base_path / "1")
    await_available(registry)


def test_a_label_moves_among_available_versions(registry: Registry, base_path: Path) -> None:
    def labelled(**labels: int) -> ModelConfig:
        return ModelConfig("m", base_path, VersionPolicy(latest=2), labels)

    unavailable = "Request to assign label to version {} of model m, which is not currently"
    code, message = refusal(lambda: registry.reload([labelled(stable=2)]))
    assert (code, message.startswith(unavailable.format(2))) == ("FAILED_PRECONDITION", True)
    assert not registry.has("m")
    registry.reload([labelled()])
    registry.reload([labelled(stable=2, canary=3)])
    for label, version in (("stable", 2), ("canary", 3)):
        with registry.lease(Target("m", label=label)) as lease:
            assert lease.version == version
    registry.reload([labelled(stable=3)])
    code, message = refusal(lambda: registry.reload([labelled(stable=1)]))
    assert (code, message.startswith(unavailable.format(1))) == ("FAILED_PRECONDITION", True)
    with registry.lease(Target("m", label="stable")) as lease:
        assert lease.version == 3
    unknown = ("INVALID_ARGUMENT", "Unrecognized servable version label: canary")
    assert refusal(lambda: registry.lease(Target("m", label="canary"))) == unknown


def test_a_new_label_may_be_ahead_of_its_version_if_allowed(base_path: Path) -> None:
    registry = Registry(load, OPTIONS, allow_labels_ahead=True)
    registry.reload([ModelConfig("m", base_path, labels={"stable": 3})])
    with registry.lease(Target("m", label="stable")) as lease:
        assert lease.version == 3
    registry.reload([ModelConfig("m", base_path, labels={"stable": 3, "next": 4})])
    missing = ("NOT_FOUND", "Servable not found for request: Specific(m, 4)")

    def use() -> None:
        with registry.lease(Target("m", label="next")):
            pass

    assert refusal(use) == missing
    moved = ModelConfig("m", base_path, labels={"stable": 4})
    assert refusal(lambda: registry.reload([moved]))[0] == "FAILED_PRECONDITION"
    registry.close()


def test_a_reload_realises_exactly_what_it_says(registry: Registry, base_path: Path) -> None:
    assert registry.is_ready()
    registry.reload([ModelConfig("m", base_path), ModelConfig("other", base_path)])
    assert available(registry, "other") == [3]
    registry.reload([ModelConfig("other", base_path)])
    gone = ("NOT_FOUND", "Servable not found for request: Latest(m)")
    assert refusal(lambda: registry.lease(Target("m"))) == gone
    deadline = time.monotonic() + 60
    while [s.state for s in registry.statuses(Target("m"))] != [State.END]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (available(registry, "other"), registry.is_ready()) == ([3], True)
    registry.drain()
    assert not registry.is_ready()


def test_a_model_that_fails_is_told_and_leaves_the_others(
    registry: Registry, base_path: Path, tmp_path: Path
) -> None:
    shutil.copytree(base_path / "1", tmp_path / "broken" / "1")
    (tmp_path / "broken" / "1" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    configs = [ModelConfig("broken", tmp_path / "broken"), ModelConfig("m", base_path)]
    code, message = refusal(lambda: registry.reload(configs))
    assert code == "UNKNOWN"
    expected = "1 model(s) did not become available: {{{name: broken version: 1} due to error: "
    assert message.startswith(expected)
    assert (available(registry), registry.is_ready()) == ([3], False)


def test_the_wait_for_a_model_can_be_given_up(registry: Registry, tmp_path: Path) -> None:
    nowhere = ModelConfig("m", tmp_path / "nowhere")
    code, _ = refusal(lambda: registry.reload([nowhere], given_up=lambda: True))
    assert code == "DEADLINE_EXCEEDED"


def test_a_version_is_tried_as_often_as_asked_for(base_path: Path) -> None:
    tried = []

    def fail_twice(name: str, version: int, directory: Path) -> LoadedModel:
        tried.append(version)
        if len(tried) < 3:
            raise MemoryError("no memory")
        return LoadedModel(directory)

    registry = Registry(fail_twice, LoadOptions(poll_seconds=0, retries=2, retry_seconds=0.01))
    registry.reload([ModelConfig("m", base_path)])
    assert (tried, available(registry)) == ([3, 3, 3], [3])
    registry.close()


def test_a_version_that_vanishes_before_it_is_tried_again_is_given_up(base_path: Path) -> None:
    options = LoadOptions(poll_seconds=0.02, retries=5, retry_seconds=3600)
    registry = Registry(load, options)
    registry.reload([ModelConfig("m", base_path)])
    shutil.copytree(base_path / "1", base_path.parent / "4")
    (base_path.parent / "4" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    (base_path.parent / "4").rename(base_path / "4")
    assert registry.wait_for("m", lambda found: found[0].error is not None, 60)
    assert registry.wait_for("m", lambda found: found[0].state is State.LOADING, 60)
    (base_path / "4").rename(base_path.parent / "gone")
    assert registry.wait_for("m", lambda found: found[0].has_failed, 60)
    assert available(registry) == [3]
    registry.close()


def test_a_model_that_takes_long_to_load_holds_nobody_up(
    registry: Registry, base_path: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    write_v1(tmp_path / "slow" / "1", 2.0, before_init=pipe)
    slow, quick = ModelConfig("slow", tmp_path / "slow"), ModelConfig("m", base_path)
    reload = threading.Thread(target=lambda: registry.reload([slow, quick]))
    reload.start()
    while not registry.has("m"):
        time.sleep(0.01)
    await_available(registry, 3)
    for _ in range(20):
        with registry.lease(Target("m")) as lease:
            x, y = lease.model.signatures["serving_default"].inputs["x"].name, "y:0"
            assert lease.model.run({x: np.array([2.0], np.float32)}, [y])[0] == 3.0
    shutil.copytree(base_path / "1", base_path / "4")
    await_available(registry, 4)
    assert [s.state for s in registry.statuses(Target("slow"))] == [State.LOADING]
    assert not registry.is_ready()
    registry.reload([quick])
    reload.join()
    while any(thread.name == "versions-slow" for thread in threading.enumerate()):
        release(pipe)


def test_a_registry_that_never_looks_waits(tmp_path: Path, base_path: Path) -> None:
    registry = Registry(load, LoadOptions(poll_seconds=-1))
    config = ModelConfig("m", base_path)
    assert refusal(lambda: registry.reload([config], lambda: True))[0] == "DEADLINE_EXCEEDED"
    registry.close()


def test_memory_goes_back_after_swaps(exported: Path, tmp_path: Path) -> None:
    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def swap() -> None:
        model = LoadedModel(large)
        model.run({"x:0": np.array([2.0], np.float32)}, ["y:0"])
        model.close()

    large = tmp_path / "large" / "1"
    megabytes = 40
    write_v1(large, 2.0, ballast=megabytes * 2**20)
    swap()
    before = resident()
    for _ in range(5):
        swap()
    assert resident() - before < megabytes * 2**20


def test_clients_do_not_have_a_graph_optimised_without_end(exported: Path) -> None:
    model = LoadedModel(exported)
    choices = [("y:0",) * number for number in range(1, 40)]
    taken = [choice for choice in choices if model.takes_choice(choice)]
    assert 0 < len(taken) < 10
    assert all(map(model.takes_choice, taken))
    model.close()


def test_of_a_model_of_graft_no_choice_stalls_the_others(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "1")
    (tmp_path / "1" / "assets.extra").mkdir()
    (tmp_path / "1" / "assets.extra" / "graft.json").write_text("{}")
    model = LoadedModel(tmp_path / "1")
    assert not model.takes_choice(("y:0",))
    model.close()


def test_a_config_file_is_followed_when_it_changes(
    registry: Registry, base_path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "models.config"
    file.write_text(config_of(tmp_path, "m"), encoding="utf-8")
    followed = ConfigFile(file, registry)
    followed.apply()
    assert available(registry) == [3]
    file.write_text("nothing of the kind", encoding="utf-8")
    assert refusal(followed.apply)[0] == "INVALID_ARGUMENT"
    assert available(registry) == [3]
    file.write_text(config_of(tmp_path, "m").replace('"m" base', '"n" base'), encoding="utf-8")
    followed.apply()
    assert (registry.has("m"), available(registry, "n")) == (False, [3])
    followed.stop()


def test_a_base_path_that_vanishes_takes_nothing_out_of_service(
    registry: Registry, base_path: Path
) -> None:
    registry.reload([ModelConfig("m", base_path)])
    away = base_path.with_name("away")
    base_path.rename(away)
    time.sleep(10 * OPTIONS.poll_seconds)
    assert available(registry) == [3]
    shutil.copytree(away / "1", away / "4")
    away.rename(base_path)
    await_available(registry, 4)


def test_a_config_file_with_a_wrong_path_can_be_mended(
    registry: Registry, base_path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "models.config"
    file.write_text(config_of(tmp_path / "nowhere", "m"), encoding="utf-8")
    followed = ConfigFile(file, registry)
    followed.watch(0.02)
    while not registry.has("m"):
        time.sleep(0.01)
    file.write_text(config_of(tmp_path, "m"), encoding="utf-8")
    await_available(registry, 3)
    followed.stop()
