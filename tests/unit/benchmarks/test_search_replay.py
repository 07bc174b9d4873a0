"""The benchmark of searches on tables of curves, on tables made by a formula."""

import gzip
import json

import numpy as np
import pytest
from curve_folders import write_curves
from learning_curves import made_task

from benchmarks.search.methods import METHODS, Situation
from benchmarks.search.pasts import change
from benchmarks.search.replay import BUDGETS, Replay, median_training, relative_regret
from benchmarks.search.report import ratio
from benchmarks.search.run import main
from benchmarks.search.tables import read_tables
from models.curves.learning_curve import CurveTask, LearningCurve
from models.errors import BadDataError


def test_a_replay_pays_for_each_epoch_and_sees_no_more():
    table = CurveTask(
        "t",
        1.0,
        {},
        (LearningCurve({}, (0.1, 0.5), (1.0, 1.0), True), LearningCurve({}, (0.9,), (6.0,), True)),
    )
    replay = Replay(table)
    assert replay.curve(0) == LearningCurve({})
    assert replay.buy(0, 1) == LearningCurve({}, (0.1,), (1.0,))
    assert replay.buy(0, 50) == LearningCurve({}, (0.1, 0.5), (1.0, 1.0), True)
    assert not replay.is_over
    replay.buy(1, 1)
    assert replay.is_over
    # The median training is of 4 seconds: nothing in 0.4, one epoch in 1, all in 8.
    assert median_training(table) == 4.0
    assert replay.regret() == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


def test_regret_is_of_the_best_epoch_and_the_worst_curve():
    curves = (LearningCurve({}, (0.2, 0.8), (1.0, 1.0)), LearningCurve({}, (0.1, 0.4), (1.0, 1.0)))
    assert [relative_regret(curves, found) for found in (0.8, 0.6, 0.4, 0.1)] == pytest.approx(
        [0.0, 0.5, 1.0, 1.0]
    )


def test_tables_are_read_with_their_texts(tmp_path):
    write_curves(tmp_path / "a", [made_task(0, count=5)])
    (task,) = read_tables([tmp_path / "a"])
    assert (task.name, task.size) == ("made-0", 1000.0)
    assert task.description == {"classes": 10, "pixels": 64, "channels": 3}
    for read, made in zip(task.curves, made_task(0, count=5).curves, strict=True):
        assert read.values == {
            "backbone": made.values["backbone"],
            "lr": made.values["rate"],
            "betas": "[0.0, 0.9]",
        }
        np.testing.assert_allclose(read.scores, made.scores)
        assert read.ended


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(BadDataError, match="nowhere does not hold curves"):
        read_tables([tmp_path / "nowhere"])
    write_curves(tmp_path / "a", [made_task(0, count=5)])
    with pytest.raises(BadDataError, match="made-0: the same data set in two places"):
        read_tables([tmp_path / "a", tmp_path / "a"])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_comes_to_the_best_with_time(name):
    past = tuple(made_task(seed) for seed in range(1, 4))
    regret = METHODS[name](Situation(made_task(0), past, seed=0)).regret()
    assert len(regret) == len(BUDGETS)
    assert regret == sorted(regret, reverse=True)
    # Eight of forty full trainings, at random.
    assert regret[-1] < 0.5
    assert name in ("random", "asha", "hyperband") or regret[-1] < 0.1


def test_false_pasts_are_false():
    task = made_task(0)
    (turned,) = change("inverted", [task], 0)
    assert np.argmax([each.scores[-1] for each in turned.curves]) == np.argmin(
        [each.scores[-1] for each in task.curves]
    )
    (mixed,) = change("permuted", [task], 0)
    assert sorted(each.scores for each in mixed.curves) == sorted(
        each.scores for each in task.curves
    )
    assert [each.values for each in mixed.curves] == [each.values for each in task.curves]
    assert mixed != task
    assert change("none", [task], 0) == []


def test_a_ratio_has_an_interval_over_data_sets():
    regret = np.random.default_rng(0).uniform(0.1, 0.5, (12, len(BUDGETS)))
    assert ratio(regret / 2, regret) == pytest.approx((0.5, 0.5, 0.5))
    other = np.random.default_rng(1).uniform(0.1, 0.5, (12, len(BUDGETS)))
    middle, low, high = ratio(other, regret)
    assert low < middle < high


def test_the_benchmark_learns_from_one_place_and_is_judged_on_another(tmp_path, monkeypatch):
    write_curves(tmp_path / "judged", [made_task(0), made_task(1)])
    write_curves(tmp_path / "past", [made_task(2), made_task(3)])
    arguments = [
        f"--curves={tmp_path / 'judged'}",
        f"--past={tmp_path / 'past'}",
        "--seeds=1",
        f"--cache={tmp_path / 'cache'}",
        f"--out={tmp_path / 'out'}",
        "--methods",
        "cheapest",
        "freeze-thaw",
    ]
    assert main(arguments) == 0
    text = (tmp_path / "out" / "RESULTS.md").read_text()
    assert "2 data sets, 1 seeds" in text
    assert "<polyline" in (tmp_path / "out" / "plot.svg").read_text()
    # What was made is not made again.
    monkeypatch.setattr("benchmarks.search.run.METHODS", dict.fromkeys(METHODS))
    assert main(arguments) == 0
    assert (tmp_path / "out" / "RESULTS.md").read_text() == text


def test_a_folder_without_curves_ends_the_benchmark(tmp_path, capsys):
    assert main([f"--curves={tmp_path}"]) != 0
    assert "Quick-Tune's format" in capsys.readouterr().err


def test_one_data_set_alone_has_nothing_to_learn_from(tmp_path, capsys):
    write_curves(tmp_path / "one", [made_task(0)])
    arguments = [f"--curves={tmp_path / 'one'}", "--seeds=1", f"--cache={tmp_path / 'cache'}"]
    arguments.append(f"--out={tmp_path / 'out'}")
    assert main([*arguments, "--methods", "cheapest", "freeze-thaw"]) == 0
    assert main([*arguments, "--methods", "static"]) != 0
    assert "no other data set than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("descriptors", lambda content, name: content.pop(name), "perf.json.gz has 'made-0'"),
        (
            "cost",
            lambda content, name: content[name][f"{name}1"].pop(),
            "configuration made-01 of made-0: a curve needs seconds for each score",
        ),
        (
            "perf",
            lambda content, name: content[name][f"{name}2"].__setitem__(0, float("nan")),
            "configuration made-02 of made-0: scores of a curve lie between 0 and 1, but got nan",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_of_curves_is_named(file, change, words, tmp_path, capsys):
    folder = tmp_path / "curves"
    write_curves(folder, [made_task(0), made_task(1)])
    path = folder / f"{file}.json.gz"
    content = json.loads(gzip.decompress(path.read_bytes()))
    change(content, "made-0")
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    assert main([f"--curves={folder}"]) != 0
    assert words in capsys.readouterr().err
