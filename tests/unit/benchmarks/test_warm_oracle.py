"""The benchmark of the warm start, on tables made by a formula."""

import keras_tuner
import numpy as np
import pytest

from benchmarks.search.warm_oracle import METHODS, TRIALS, Situation, main
from models.history.past_search import PastSearch
from models.history.search_space import Values


def _table(name: str, best: float, seed: int, rows: int = 40) -> PastSearch:
    drawn = np.random.default_rng(seed).random((rows, 2))
    values: tuple[Values, ...] = tuple(
        {"rate": float(rate), "kind": "ab"[int(kind > 0.5)]} for rate, kind in drawn
    )
    return PastSearch(name, values, -((drawn[:, 0] - best) ** 2) + 0.2 * (drawn[:, 1] > 0.5))


@pytest.fixture
def situation() -> Situation:
    space = keras_tuner.HyperParameters()
    space.Float("rate", 0.0, 1.0)
    space.Choice("kind", ["a", "b"])
    past = [_table(f"past {seed}", 0.85, seed) for seed in (1, 2, 3, 4)]
    return Situation(space, _table("new", 0.85, 9), past, seed=0)


def test_a_search_tries_rows_of_the_table_once_each(situation: Situation) -> None:
    order = np.sort(situation.table.scores)
    for method in ("ranked-cold", "warm", "inverted"):
        scores = METHODS[method][1](situation)
        assert len(set(scores)) == TRIALS
        assert set(scores) <= set(order.tolist())
        if method == "inverted":
            assert scores[0] < np.median(order)
        else:
            assert scores[0] > order[-6]


def test_each_search_is_made_once(tmp_path, capsys, monkeypatch) -> None:
    asked = ["--rows", "12", "--seeds", "1", "--methods", "random", "ranked"]
    asked += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path)]
    assert main(asked) == 0
    written = (tmp_path / "warm.md").read_text()
    assert "Small networks (12 tasks, seeds: 1)" in written
    assert written.strip() in capsys.readouterr().out
    monkeypatch.setattr("benchmarks.search.warm_oracle.METHODS", {"random": ("random", None)})
    assert main([*asked[:5], "random", *asked[7:]]) == 0
    assert "| random |" in (tmp_path / "warm.md").read_text()
