"""Searches of other tools, replayed on tables made by a formula."""

import contextlib
import sys

import pytest
from curve_folders import write_curves
from learning_curves import EPOCHS, made_task

from benchmarks.search.methods import Situation
from benchmarks.search.peers.asking import Tool, replayed
from benchmarks.search.peers.buying import SECONDS, Offer, OverError, Space
from benchmarks.search.peers.keras_tuner_oracles import bayesian, hyperband
from benchmarks.search.replay import Replay
from benchmarks.search.run import main
from models.curves.learning_curve import CurveTask, LearningCurve
from models.errors import GraftError

_TOY = """
from benchmarks.search.peers.buying import serve

def dearest(offer, buy):
    print("as tools do, a line of its own")
    for candidate in sorted(range(len(offer.seconds)), key=lambda each: -offer.seconds[each])[:5]:
        buy(candidate, 1)
        buy(candidate, offer.most)

def learned(offer, buy):
    for table in offer.past:
        buy(len(table.configurations) % len(offer.configurations), 2)

def broken(offer, buy):
    raise SystemExit(7)

if __name__ == "__main__":
    serve({"dearest": dearest, "asha": dearest, "learned": learned, "broken": broken}, "Toy 1.0")
"""


@pytest.fixture
def toy(tmp_path):
    """Stands for the Python of a tool's environment, and starts a tool whatever it is told."""
    script = tmp_path / "toy.py"
    script.write_text(_TOY)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}"\n')
    python.chmod(0o755)
    return python


@pytest.fixture
def tool(toy):
    tool = Tool(toy, "syne_tune_schedulers")
    yield tool
    tool.close()


def _bought(search, offer, table):
    """What a search buys until all is bought: candidate, from, to."""
    replay, purchases = Replay(table), []

    def buy(candidate, stop):
        purchases.append((candidate, replay.curve(candidate).epochs, stop))
        replay.buy(candidate, stop)
        if replay.is_over:
            raise OverError
        return [replay.curve(candidate).best(epoch + 1) for epoch in range(stop)]

    with contextlib.suppress(OverError):
        search(offer, buy)
    return purchases


def _offer(table, seed=0):
    return Offer(
        figures=table.figures,
        configurations=[dict(curve.values) for curve in table.curves],
        seconds=[curve.seconds[0] for curve in table.curves],
        most=EPOCHS,
        seed=seed,
        past=[],
    )


def test_hyperband_of_keras_tuner_halves_and_goes_on_where_it_stopped():
    table = made_task(0)
    bought = _bought(hyperband, _offer(table), table)
    # 16 epochs, a third each: 9 or more of 2 epochs, 3 or more of them to 6, 1 or more to 16.
    first = [each for each in bought if each[1:] == (0, 2)]
    assert len(first) >= 9
    assert bought[:9] == first[:9]
    assert {each[1:] for each in bought} >= {(0, 2), (2, 6), (6, 16)}
    begun = {candidate for candidate, start, _ in bought if start == 0}
    on = [candidate for candidate, start, _ in bought if start == 2]
    best = sorted(begun, key=lambda each: -table.curves[each].best(2))
    assert on
    assert set(on) <= begun
    assert on[0] in best[: len(best) // 2]


def test_bayesian_optimization_of_keras_tuner_trains_each_in_full_and_once():
    table = made_task(0, count=8)
    bought = _bought(bayesian, _offer(table), table)
    assert {each[1:] for each in bought} == {(0, EPOCHS)}
    candidates = [each[0] for each in bought]
    assert len(set(candidates)) == len(candidates) > 3


def test_hyperband_of_keras_tuner_finds_more_with_time_and_the_same_again():
    method = replayed(hyperband)
    regret = method(Situation(made_task(0), (), seed=0)).regret()
    assert regret == sorted(regret, reverse=True)
    assert regret[-1] < 0.5
    assert method(Situation(made_task(0), (), seed=0)).regret() == regret
    assert method(Situation(made_task(0), (), seed=1)).regret() != regret


def test_a_tool_in_a_process_buys_what_it_would_buy_here(tool):
    assert tool.version == "Toy 1.0"
    table = made_task(0, count=20)
    method = replayed(tool.search("dearest"))
    # Twice, as the first one is cut off where the budget is spent.
    for _ in range(2):
        replay = method(Situation(table, (), 0))
        dear = [curve.values["backbone"] == "large" for curve in table.curves]
        begun = [replay.curve(number).epochs > 0 for number in range(20)]
        assert any(begun)
        assert not any(one and not other for one, other in zip(begun, dear, strict=True))


def test_what_a_tool_does_not_ask_for_goes_to_the_best_that_are_left():
    curves = tuple(
        LearningCurve({"rate": end}, (end / 2, end), (1.0, 1.0), True) for end in (0.2, 0.9, 0.5)
    )
    table = CurveTask("t", 1.0, {}, curves)

    def one_epoch(_, buy):
        buy(2, 1)

    replay = replayed(one_epoch)(Situation(table, (), 0))
    assert [replay.curve(number).epochs for number in range(3)] == [2, 2, 2]
    assert replay.regret()[-1] == 0


def test_only_tools_that_learn_are_told_of_the_past(tool):
    table, past = made_task(0), (made_task(1, count=3), made_task(2, count=4))
    seen = []

    def method(with_past):
        def search(offer, buy):
            def noted(*asked):
                seen.append(asked)
                return buy(*asked)

            tool.search("learned")(offer, noted)

        return replayed(search, with_past=with_past)

    method(with_past=True)(Situation(table, past, 0))
    assert seen == [(3, 2), (4, 2)]
    method(with_past=False)(Situation(table, past, 0))
    assert len(seen) == 2


def test_a_curve_that_broke_off_is_told_to_its_end():
    table = CurveTask(
        "t",
        1.0,
        {},
        (
            LearningCurve({"rate": 1.0}, (0.5, 0.4), (1.0, 1.0), True),
            LearningCurve({"rate": 2.0}, (0.1,) * 9, (9.0,) * 9, True),
        ),
    )
    told = []
    replayed(lambda _, buy: told.append(buy(0, 4)))(Situation(table, (), 0))
    assert told == [[0.5, 0.5]]


def test_a_tool_that_does_not_start_or_ends_is_told_of(tool, tmp_path):
    with pytest.raises(GraftError, match="nowhere is not a Python that can be run"):
        Tool(tmp_path / "nowhere", "syne_tune_schedulers")
    with pytest.raises(GraftError, match="ended with exit code 7 where an answer was expected"):
        replayed(tool.search("broken"))(Situation(made_task(0), (), 0))


def test_the_nearest_configuration_counts_steps_texts_and_seconds():
    offer = Offer(
        figures={},
        configurations=[
            {"backbone": "a", "rate": 0.1, "decay": 1},
            {"backbone": "a", "rate": 1e-5},
            {"backbone": "b", "rate": 0.1},
        ],
        seconds=[1.0, 1.0, 100.0],
        most=4,
        seed=0,
        past=[],
    )
    space = Space(offer)
    assert space.numbers == {"rate": [1e-5, 0.1]}
    assert space.texts == {"backbone": ["a", "b"], "decay": ["1", "absent"]}
    assert space.nearest(space.points[1], {0, 2}) == 0
    asked = {"backbone": "b", "rate": 1e-5, "decay": "absent", SECONDS: space.seconds[1]}
    assert space.nearest(asked, range(3)) == 2


def test_a_peer_is_replayed_with_its_python_and_refused_without(tmp_path, toy, capsys):
    write_curves(tmp_path / "judged", [made_task(0), made_task(1)])
    arguments = [
        f"--curves={tmp_path / 'judged'}",
        "--seeds=1",
        f"--cache={tmp_path / 'cache'}",
        f"--out={tmp_path / 'out'}",
        "--methods",
        "cheapest",
        "syne-tune-asha",
    ]
    assert main(arguments) == 2
    assert "--syne-tune VENV/bin/python" in capsys.readouterr().err
    assert main([*arguments, f"--syne-tune={toy}", "--on", "made-1"]) == 0
    text = (tmp_path / "out" / "RESULTS.md").read_text()
    assert "1 data sets, 1 seeds" in text
    assert "| Syne Tune: ASHA |" in text
    assert main([*arguments, "--on", "made-7"]) == 2
    assert "made-0, made-1" in capsys.readouterr().err
