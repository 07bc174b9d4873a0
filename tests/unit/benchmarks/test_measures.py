"""Regret of the warm-start benchmark."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.warm_start.evaluate import Outcome, read_outcomes
from benchmarks.warm_start.histories import HISTORY_SEED, shared_configurations
from benchmarks.warm_start.measures import (
    CONFIRMING_SEEDS,
    Scale,
    area,
    least_curve,
    regret_curve,
    scale_of,
    trials_to,
)
from benchmarks.warm_start.problem import EPOCHS
from benchmarks.warm_start.runs import Run, Step

_SCALE = Scale(best=0.9, median=0.7, worst=0.1)


def _run(*steps: tuple[float | None, float, int]) -> Run:
    """Steps of (test score, cost, index of the choice)."""
    return Run(
        task="t",
        group="g",
        method="m",
        regime="normal",
        seed=0,
        steps=tuple(
            Step(
                score=test_score,
                test_score=test_score,
                test_accuracy=test_score,
                cost=cost,
                chosen=chosen,
                own_seconds=0.0,
                training_seconds=0.0,
            )
            for test_score, cost, chosen in steps
        ),
    )


def _outcome(values, seed: int, test_score: float | None) -> Outcome:
    return Outcome(values, seed, EPOCHS, test_score, test_score, test_score, 10, 0.1)


def test_regret_is_one_at_the_median_and_zero_at_the_best() -> None:
    assert _SCALE.regret(0.7) == pytest.approx(1.0)
    assert _SCALE.regret(0.9) == pytest.approx(0.0)
    assert _SCALE.regret(None) == pytest.approx(4.0)


def test_the_curve_follows_the_choice_not_the_luckiest_test() -> None:
    run = _run((0.7, 1.0, 0), (0.9, 1.0, 0), (0.8, 1.0, 2))
    assert regret_curve(run, _SCALE, "score", 4) == pytest.approx([1.0, 1.0, 0.5, 0.5])


def test_the_least_curve_follows_the_luckiest_test() -> None:
    run = _run((0.7, 1.0, 0), (0.9, 1.0, 0), (0.8, 1.0, 2))
    assert least_curve(run, _SCALE, "score", 4) == pytest.approx([1.0, 0.0, 0.0, 0.0])
    assert least_curve(_run((0.9, 2.0, 0)), _SCALE, "score", 2) == pytest.approx([4.0, 0.0])


def test_trials_that_stop_early_count_by_their_cost() -> None:
    run = _run((0.7, 0.5, 0), (0.8, 0.5, 1), (0.9, 1.0, 2))
    assert regret_curve(run, _SCALE, "score", 2) == pytest.approx([0.5, 0.0])


def test_a_failed_trial_counts_as_the_worst_known() -> None:
    assert regret_curve(_run((None, 1.0, 0)), _SCALE, "accuracy", 1) == pytest.approx([4.0])


def test_area_is_the_mean_over_the_first_25_trials() -> None:
    assert area(np.concatenate([np.full(25, 0.2), np.zeros(25)])) == pytest.approx(0.2)


def test_trials_to_a_regret() -> None:
    curve = np.array([1.0, 0.2, 0.04, 0.2])
    assert trials_to(curve, 0.05) == 3
    assert trials_to(curve, 0.01) == 5


def test_the_best_known_is_the_best_mean_of_the_confirming_seeds() -> None:
    lucky, steady, plain = shared_configurations(3)
    pooled = [
        _outcome(plain, HISTORY_SEED, 0.5),
        _outcome(steady, HISTORY_SEED, 0.7),
        _outcome(lucky, HISTORY_SEED, None),
        _outcome(lucky, 1, 0.99),
        *(_outcome(steady, seed, 0.8) for seed in CONFIRMING_SEEDS),
        *(
            _outcome(lucky, seed, test_score)
            for seed, test_score in zip(CONFIRMING_SEEDS, (0.95, 0.6, None), strict=True)
        ),
    ]
    scale = scale_of(pooled, "score")
    assert scale.best == pytest.approx(0.8)
    assert scale.worst == pytest.approx(0.5)
    # 0.5, 0.7 and a failed training, which counts as the worst.
    assert scale.median == pytest.approx(0.5)


def test_a_line_that_was_cut_short_costs_no_other(tmp_path) -> None:
    file = tmp_path / "evaluations.jsonl"
    assert read_outcomes(file) == []
    whole = _outcome(shared_configurations(1)[0], 0, 0.5)
    line = json.dumps(asdict(whole))
    file.write_text(f"\n{line}\n{line[:40]}\n{line}")
    assert read_outcomes(file) == [whole, whole]
