import math
import statistics
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from pydantic import ValidationError

from models.history.search_space import Choice, FloatRange, SearchSpace
from models.oracles.warm.warm_start_oracle import WarmStartOracle

SPACE = SearchSpace(
    parameters=(
        FloatRange(name="learning_rate", low=1e-4, high=1e-1, scale="log"),
        FloatRange(name="dropout", low=0.0, high=0.6),
        Choice(name="hidden_units", values=(0, 128, 512)),
        Choice(name="kind", values=("a", "b")),
    )
)


def test_a_space_becomes_one_of_keras_tuner() -> None:
    hyperparameters = SPACE.to_hyperparameters()
    kinds = {each.name: type(each).__name__ for each in hyperparameters.space}
    assert kinds == {
        "learning_rate": "Float",
        "dropout": "Float",
        "hidden_units": "Choice",
        "kind": "Choice",
    }
    sampling = {each.name: getattr(each, "sampling", None) for each in hyperparameters.space}
    assert sampling["learning_rate"] == "log"


def test_what_leaves_no_choice_is_fixed(tmp_path: Path) -> None:
    space = SearchSpace(
        parameters=(
            FloatRange(name="learning_rate", low=0.01, high=0.01, scale="log"),
            FloatRange(name="dropout", low=0.0, high=0.6),
            Choice(name="hidden_units", values=(64,)),
        )
    )
    hyperparameters = space.to_hyperparameters()
    assert hyperparameters.values["learning_rate"] == 0.01
    assert hyperparameters.values["hidden_units"] == 64
    kinds = {each.name: type(each).__name__ for each in hyperparameters.space}
    assert kinds["learning_rate"] == kinds["hidden_units"] == "Fixed"
    proposals = run_oracle(prepared(oracle(space, trials=9, seed=0), tmp_path), 9)
    assert len(proposals) == 9
    assert {each["learning_rate"] for each in proposals} == {0.01}


def test_a_space_without_sense_is_refused() -> None:
    for low, high, words in ((0.1, 0.01, "upside down"), (0.0, 0.1, "start above 0")):
        with pytest.raises(ValidationError, match=words):
            FloatRange(name="rate", low=low, high=high, scale="log")
    for values, words in (((), "at least 1 item"), ((32, 32), "the same choice twice")):
        with pytest.raises(ValidationError, match=words):
            Choice(name="size", values=values)


def test_a_range_holds_its_bounds_and_what_rounding_makes_of_them() -> None:
    rate = FloatRange(name="rate", low=-2.0, high=1.0)
    assert [rate.contains(each) for each in (-2.0 - 1e-9, -2, 0, 1, 1.0 + 1e-9)] == [True] * 5
    assert [rate.contains(each) for each in (-2.0 - 1e-8, 1.0 + 1e-8, "0")] == [False] * 3
    assert FloatRange(name="far", low=1.0, high=4.0).contains(4.0 + 3e-9)
    width = Choice(name="width", values=(0, 64))
    assert [width.contains(each) for each in (0, 64, 32, "64")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("low", "scale", "words"),
    [(0.0, "log", "above 0, at 1e-50 or more"), (2.0, "linear", r"\[2.0, 1.0\] is upside down")],
)
def test_a_range_without_sense_is_refused(low: float, scale: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FloatRange(name="rate", low=low, high=1.0, scale=scale)
    FloatRange(name="rate", low=1e-50, high=1e-50, scale="log")


def test_whole_numbers_of_64_bits_stay_whole() -> None:
    values = Choice(name="seed", values=(-(2**63), 0, 2**63 - 1, 2**63)).values
    assert [type(value) for value in values] == [int, int, int, float]


def test_a_space_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        SearchSpace(parameters=())


def test_names_must_differ() -> None:
    parameter = FloatRange(name="rate", low=0, high=1)
    with pytest.raises(ValidationError, match="named twice"):
        SearchSpace(parameters=(parameter, parameter))


def test_numbers_and_text_do_not_mix() -> None:
    with pytest.raises(ValidationError, match="cannot be mixed"):
        Choice(name="width", values=(1, "two"))


def decades(values: dict[str, Any]) -> float:
    """How far the rate is from 0.01."""
    return abs(math.log10(values.get("learning_rate", 0.01)) + 2)


def run_oracle(oracle: keras_tuner.Oracle, trials: int) -> list[dict[str, Any]]:
    """Scores each proposal by how near its rate is to 0.01, in decades."""
    proposals = []
    for _ in range(trials):
        trial = oracle.create_trial("worker")
        if trial.status == "STOPPED":
            break
        values = trial.hyperparameters.values
        proposals.append(values)
        oracle.update_trial(trial.trial_id, {"score": -decades(values)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return proposals


def prepared(oracle: keras_tuner.Oracle, directory: Path) -> keras_tuner.Oracle:
    """What a tuner does to its oracle."""
    oracle._set_project_dir(str(directory), "project")
    oracle.verbose = 0
    return oracle


def oracle(space: SearchSpace, *, trials: int, seed: int) -> WarmStartOracle:
    return WarmStartOracle(
        keras_tuner.Objective("score", "max"),
        trials,
        seed=seed + 1,
        hyperparameters=space.to_hyperparameters(),
    )


def test_the_same_seed_proposes_the_same_trials(tmp_path: Path) -> None:
    def proposals(name: str, seed: int) -> list[dict[str, Any]]:
        return run_oracle(prepared(oracle(SPACE, trials=12, seed=seed), tmp_path / name), 12)

    first = proposals("first", 0)
    assert len(first) == 12
    assert proposals("second", 0) == first
    assert proposals("third", 1) != first


def test_the_search_closes_in(tmp_path: Path) -> None:
    proposals = run_oracle(prepared(oracle(SPACE, trials=30, seed=3), tmp_path), 30)
    # Rates drawn at random are 0.75 decades from it in the median.
    assert statistics.median(decades(each) for each in proposals[10:]) < 0.45


def test_a_small_space_is_searched_without_repeats_and_to_its_end(tmp_path: Path) -> None:
    space = SearchSpace(
        parameters=(
            Choice(name="width", values=(0, 1, 2)),
            Choice(name="kind", values=("a", "b")),
        )
    )
    proposals = run_oracle(prepared(oracle(space, trials=50, seed=0), tmp_path), 50)
    distinct = {tuple(sorted(each.items())) for each in proposals}
    assert len(distinct) == len(proposals) == 6
