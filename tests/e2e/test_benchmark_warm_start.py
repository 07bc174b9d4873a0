"""The warm-start benchmark on two halves of the digits, and its continuation."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.warm_start.run import main
from benchmarks.warm_start.simulate import main as simulate

_METHODS = ("warm", "cold", "average_rank", "kt_random", "kt_hyperband")


@pytest.fixture(scope="module")
def halves(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two data sets of five digits each."""
    folder = tmp_path_factory.mktemp("halves")
    for name, labels in (("low", "01234"), ("high", "56789")):
        for label in labels:
            shutil.copytree(digits_folder / label, folder / name / label)
    return [folder / "low", folder / "high"]


def _run(halves: list[Path], folder: Path, *more: str) -> None:
    assert main([*_options(halves, folder), "--methods", *_METHODS, *more]) == 0


def _options(halves: list[Path], folder: Path) -> list[str]:
    return [
        "--tasks", *map(str, halves), "--cache", str(folder / "cache"), "--out", str(folder),
        "--weights", "none", "--image-size", "32", "--history-trials", "6", "--trials", "3",
        "--seeds", "1",
    ]  # fmt: skip


@pytest.mark.slow
def test_benchmark_runs_every_method_and_goes_on_for_nothing(
    halves: list[Path], tmp_path: Path
) -> None:
    regimes = ("--regimes", "normal", "inverted", "mismatched", "empty")
    _run(halves, tmp_path, *regimes)
    runs = {path.name: json.loads(path.read_text()) for path in (tmp_path / "cache/runs").iterdir()}
    # Two methods look at the past, in four regimes, on two tasks; three do not.
    assert len(runs) == 2 * (2 * 4 + 3)
    assert not [run["failure"] for run in runs.values() if run["failure"]]
    for run in runs.values():
        assert all(0 <= step["chosen"] <= index for index, step in enumerate(run["steps"]))
        if run["method"] != "kt_hyperband":
            assert len(run["steps"]) == 3
    table = (tmp_path / "table.md").read_text()
    assert "WarmStartOracle" in table
    assert "nan" not in table
    ElementTree.fromstring((tmp_path / "plot.svg").read_text())

    evaluations = sorted((tmp_path / "cache/evaluations").iterdir())
    before = [path.read_bytes() for path in evaluations]
    _run(halves, tmp_path, *regimes)
    assert [path.read_bytes() for path in evaluations] == before
    assert (tmp_path / "table.md").read_text() == table


@pytest.mark.slow
def test_searches_are_simulated_on_what_was_evaluated(
    halves: list[Path], tmp_path: Path, capsys
) -> None:
    _run(halves, tmp_path, "--regimes", "normal")
    evaluations = sorted((tmp_path / "cache/evaluations").iterdir())
    before = [path.read_bytes() for path in evaluations]
    capsys.readouterr()
    options = [*_options(halves, tmp_path), "--regimes", "normal"]
    assert simulate([*options, "--methods", "warm", "average_rank", "kt_bayesian"]) == 0
    printed = capsys.readouterr().out
    assert "mean floor: " in printed
    for name in ("WarmStartOracle, normal", "average rank, normal", "Keras Tuner Bayesian, no"):
        line = next(line for line in printed.splitlines() if line.startswith(name))
        figures = [float(figure) for figure in line.split(": ")[-1].replace(",", "").split()]
        # The area, and the regret after 1, 2 and 3 trials.
        assert len(figures) == 4
        assert figures[0] == pytest.approx(np.mean(figures[1:]), abs=0.01)
    assert [path.read_bytes() for path in evaluations] == before, "nothing was trained"
    assert simulate([*options, "--methods", "kt_hyperband"]) == 2


@pytest.mark.slow
def test_groups_never_serve_each_other(halves: list[Path], tmp_path: Path) -> None:
    _run(halves, tmp_path, "--regimes", "normal", "--groups", "low,high")
    listed = {path.name for path in (tmp_path / "cache/runs").glob("*-average_rank-*.json")}
    assert len(listed) == 2
    _run(halves, tmp_path, "--regimes", "normal")
    # With sources it is another search.
    assert len(list((tmp_path / "cache/runs").glob("*-average_rank-*.json"))) == 4


@pytest.mark.slow
def test_one_small_grey_data_set_alone_is_searched_cold(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for brightness, label in ((80, "big dogs"), (120, "small cats")):
        folder = tmp_path / "two things" / label
        folder.mkdir(parents=True)
        for number in range(15):
            pixels = generator.normal(brightness, 40, (24, 40)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"image {number}.png")
    (folder / "broken.png").write_bytes(b"no image")
    _run([tmp_path / "two things"], tmp_path, "--regimes", "normal", "--variants", "full", "grey")
    table = (tmp_path / "table.md").read_text()
    # Grey images make no task of their own when made grey.
    assert "1 tasks of 1 data sets" in table
    assert "a warm search is a cold one, on two things." in table
    runs = [
        json.loads(path.read_text())["steps"]
        for method in ("warm", "cold")
        for path in (tmp_path / "cache/runs").glob(f"two things-{method}-*.json")
    ]
    warm, cold = [[step["test_score"] for step in steps] for steps in runs]
    assert warm == cold


def test_every_folder_that_cannot_be_used_is_named(tmp_path: Path, capsys) -> None:
    (tmp_path / "nothing").mkdir()
    broken = tmp_path / "broken"
    for label in "ab":
        (broken / label).mkdir(parents=True)
        for number in range(10):
            (broken / label / f"{number}.png").write_bytes(f"no image {number}".encode())
    folders = [tmp_path / "nothing", tmp_path / "nowhere", broken]
    code = main(
        ["--tasks", *map(str, folders), "--cache", str(tmp_path / "cache"), "--weights", "none",
         "--image-size", "32"]
    )  # fmt: skip
    assert code == 3
    errors = capsys.readouterr().err
    assert "nothing has no class folders" in errors
    assert "nowhere cannot be read" in errors
    assert f"{broken}: " in errors
