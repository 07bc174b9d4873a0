"""The example of heads trained across sites: its arithmetic, and Flower where it is given.

`GRAFT_FLOWER=FOLDER` names an environment with flwr, as examples/federated/README.md makes it.
"""

import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graft_command import await_that

EXAMPLE = Path(__file__).parents[2] / "examples" / "federated"
HEAD: dict[str, Any] = runpy.run_path(str(EXAMPLE / "app" / "head.py"))
Data = tuple[np.ndarray, np.ndarray]
CLASSES = 3
FLOWER = os.environ.get("GRAFT_FLOWER")
with_flower = pytest.mark.skipif(
    FLOWER is None, reason="GRAFT_FLOWER names no environment with flwr"
)


def drawn(images: int, seed: int) -> Data:
    """Features around a mean for each class, from 0 to 6 as those of a backbone."""
    random = np.random.default_rng(seed)
    means = np.random.default_rng(0).uniform(1, 3, (CLASSES, 20))
    labels = np.arange(images) % CLASSES
    return np.clip(means[labels] + random.normal(0, 1.5, (images, 20)), 0, 6), labels


def federated(sites: list[Data], rounds: int, steps: int) -> Any:
    images = [len(labels) for _, labels in sites]
    moments = [HEAD["moments"](features, CLASSES) for features, _ in sites]
    head = HEAD["averaged"](moments, images)
    for _ in range(rounds):
        head = HEAD["averaged"]([HEAD["trained"](head, *site, steps) for site in sites], images)
    return head


def pooled(sites: list[Data]) -> Data:
    features, labels = zip(*sites, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def same(one: Any, other: Any) -> bool:
    return all(np.allclose(*pair, atol=1e-9) for pair in zip(one, other, strict=True))


def test_one_site_in_rounds_is_plain_training() -> None:
    site = drawn(30, 1)
    plain = HEAD["trained"](HEAD["moments"](site[0], CLASSES), *site, 12)
    assert same(federated([site], 3, 4), plain)
    assert HEAD["accuracy"](plain, *drawn(300, 2)) > 0.6


def test_three_equal_sites_are_one() -> None:
    site = drawn(30, 1)
    assert same(federated([site] * 3, 3, 4), federated([site], 3, 4))


def test_with_one_step_a_round_sites_are_as_one_pool() -> None:
    random = np.random.default_rng(1)
    features, labels = drawn(60, 1)
    rows = np.split(random.permutation(60), [7, 25])
    sites = [(features[each], labels[each]) for each in rows]
    assert same(federated(sites, 10, 1), federated([pooled(sites)], 10, 1))
    # Weights count: sites of unequal size are not averaged as equals.
    equal = [HEAD["moments"](each, CLASSES) for each, _ in sites]
    assert not same(HEAD["averaged"](equal, [1, 1, 1]), HEAD["averaged"](equal, [7, 18, 35]))


def test_uneven_sites_have_each_image_once_and_few_of_some_classes() -> None:
    script = runpy.run_path(str(EXAMPLE / "sites.py"))
    labels = np.arange(900) % 10
    dealt = np.random.default_rng(0).permutation(900)[:300]
    shards = script["uneven"](dealt, labels, np.random.default_rng(0))
    assert len(shards) == 3
    assert sorted(np.concatenate(shards)) == sorted(dealt)
    counts = np.array([np.bincount(labels[shard], minlength=10) for shard in shards])
    assert (counts.min(axis=0) < 0.1 * counts.sum(axis=0)).sum() >= 5


def test_sites_share_no_image_with_each_other_nor_with_the_test(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["--images", "60", "--test", "30", "--draws", "1", "--size", "32"]
    asked = ["sites.py", "--data", str(digits_folder), "--output", str(tmp_path), *few]
    monkeypatch.setattr(sys, "argv", asked)
    runpy.run_path(str(EXAMPLE / "sites.py"), run_name="__main__")
    for kind in ("even-0", "uneven-0"):
        files = [np.load(file) for file in sorted((tmp_path / kind).iterdir())]
        rows = np.concatenate([file["features"] for file in files])
        assert rows.shape == (90, 1280)
        assert len(np.unique(rows, axis=0)) == 90
        assert list(files[0]["names"]) == [str(digit) for digit in range(10)]


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """What `sites.py` would have written."""
    folder = tmp_path / "sites"
    folder.mkdir()
    for name, images, seed in (("site0", 12, 0), ("site1", 30, 1), ("site2", 21, 2)):
        write(folder / name, drawn(images, seed))
    write(folder / "test", drawn(300, 3))
    return folder


def write(path: Path, data: Data) -> None:
    np.savez(path, features=data[0], labels=data[1], names=["a", "b", "c"])


@pytest.fixture
def command(sites: Path, tmp_path: Path) -> Iterator[list[str]]:
    """Starts the run; afterwards no process of it is left."""
    script, flower = str(EXAMPLE / "run.py"), FLOWER or ""
    few = ["--rounds", "2", "--steps", "5"]
    yield [sys.executable, script, "--flower", flower, "--sites", str(sites), *few]
    await_that(lambda: not left(tmp_path), "Flower's processes have ended")


def left(folder: Path) -> list[str]:
    """Processes whose temporary files belong into the folder."""
    mark = f"TMPDIR={folder}\0".encode()
    return [
        read(process / "cmdline").decode()
        for process in Path("/proc").glob("[0-9]*")
        if mark in read(process / "environ")
    ]


def read(file: Path) -> bytes:
    """Nothing where the process has ended meanwhile."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


@pytest.mark.slow
@with_flower
@pytest.mark.parametrize("secure", [False, True])
def test_flower_trains_what_the_arithmetic_says(
    command: list[str], sites: Path, tmp_path: Path, secure: bool
) -> None:
    if secure:
        command.append("--secure")
    done = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    files = [np.load(sites / f"site{number}.npz") for number in range(3)]
    expected = federated([(file["features"], file["labels"]) for file in files], 2, 5)
    told = re.search(r"^federated .*: (\S+) right, trained on 63 images$", done.stdout, re.M)
    assert told is not None, done.stdout
    assert float(told[1]) == pytest.approx(HEAD["accuracy"](expected, *drawn(300, 3)), abs=0.006)


@pytest.mark.slow
@with_flower
def test_ctrl_c_leaves_no_process(command: list[str], tmp_path: Path) -> None:
    running = subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.DEVNULL)
    await_that(
        lambda: sum("flower-supernode" in each for each in left(tmp_path)) >= 3,
        "the sites have started",
    )
    running.send_signal(signal.SIGINT)
    assert running.wait() != 0
