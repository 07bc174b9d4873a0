from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask
from models.head.selection_score import curve_scores
from models.head.stopping import SearchStopper, TrialStopper
from models.head.task_description import Origin, describe
from models.history.tuning_history import read_history, write_history
from models.search.head_search import SearchResult, search_heads
from models.search.search_settings import SearchSettings

FAST = HeadParameters(learning_rate=1e-2, hidden_units=16)
SLOW = HeadParameters(learning_rate=1e-4, hidden_units=16)


def rising(start: float, end: float, epochs: int = 10) -> list[float]:
    return list(np.linspace(start, end, epochs))


@pytest.fixture
def stopper() -> TrialStopper:
    stopper = TrialStopper()
    for end in (0.80, 0.82, 0.84, 0.86, 0.88):
        stopper.ended(rising(end - 0.3, end))
    return stopper


@pytest.mark.parametrize(
    ("scores", "stops"),
    [
        ([0.20, 0.21, 0.22, 0.23], True),
        # Behind, but at this pace it would come to 0.93.
        ([0.20, 0.30, 0.40, 0.52], False),
        # Slow, but ahead of most.
        ([0.70, 0.70, 0.70, 0.70], False),
        # It began badly and is slow, but has come to be ahead of most.
        ([0.10, 0.30, 0.75, 0.75, 0.75, 0.75], False),
        # Too early to say.
        ([0.20, 0.20, 0.20], False),
        # It fell, but what counts is the best epoch.
        ([0.70, 0.20, 0.20, 0.20], False),
    ],
)
def test_a_trial_stops_when_it_is_behind_and_slow(
    stopper: TrialStopper, scores: Sequence[float], stops: bool
) -> None:
    assert stopper.should_stop(scores) is stops


@pytest.mark.parametrize(("score", "stops"), [(0.6400001, False), (0.6399999, True)])
def test_a_trial_is_behind_below_the_median_at_its_own_epoch(
    stopper: TrialStopper, score: float, stops: bool
) -> None:
    assert stopper.should_stop([score] * 4) is stops  # the middle one had 0.64 after 4 epochs


@pytest.mark.parametrize(
    ("scores", "reach"),
    [
        # The error halved in 3 epochs, and may do so 3 times again.
        ([0.2, 0.5, 0.55, 0.6], 0.95),
        ([0.0, 0.2, 0.5, 0.55, 0.6], 0.95),
        # Errors below a thousandth count as one, or the last images would promise everything.
        ([0.998, 0.9985, 0.9989, 0.9994], 1 - 0.001 / 2**3),
    ],
)
def test_a_trial_stops_where_its_pace_does_not_reach_the_best(
    scores: Sequence[float], reach: float
) -> None:
    for best, stops in ((reach - 1e-5, False), (reach + 1e-5, True)):
        stopper = TrialStopper()
        for end in [max(0.7, scores[-1] + 1e-5)] * 4 + [best]:
            stopper.ended([end] * 5)
        assert stopper.should_stop(scores) is stops


def test_nothing_stops_among_the_first_trials() -> None:
    stopper = TrialStopper()
    for _ in range(4):
        stopper.ended(rising(0.8, 0.9))
    assert not stopper.should_stop([0.1] * 8)
    stopper.ended(rising(0.8, 0.9))
    assert stopper.should_stop([0.1] * 8)


def test_stopped_trials_stay_in_the_median(stopper: TrialStopper) -> None:
    behind = [0.50, 0.51, 0.52, 0.53]
    assert stopper.should_stop(behind)
    for _ in range(6):
        stopper.ended([0.1] * 4)
    assert not stopper.should_stop(behind)


def test_a_stopped_training_keeps_what_it_reached_and_says_so(digits_task: HeadTask) -> None:
    trainer = HeadTrainer(digits_task)
    whole = trainer.train(SLOW, epochs=8, patience=5, seed=0).evaluation
    asked: list[int] = []

    def at_the_third(scores: Sequence[float]) -> bool:
        asked.append(len(scores))
        return len(scores) == 3

    stopped = trainer.train(SLOW, epochs=8, patience=5, seed=0, should_stop=at_the_third).evaluation
    assert stopped.stopped
    assert not whole.stopped
    assert asked == [1, 2, 3]
    assert stopped.curve.validation_accuracy == pytest.approx(
        whole.curve.validation_accuracy[:3], abs=0.005
    )
    assert stopped.score == max(curve_scores(stopped.curve, 10))
    never = trainer.train(SLOW, epochs=3, patience=5, seed=0, should_stop=at_the_third).evaluation
    assert not never.stopped, "the last epoch ends by itself"


def test_real_trainings_of_a_hopeless_rate_are_stopped(digits_task: HeadTask) -> None:
    trainer = HeadTrainer(digits_task)
    stopper = TrialStopper()
    scores = []
    for seed in range(5):
        evaluation = trainer.train(FAST, epochs=12, patience=5, seed=seed).evaluation
        stopper.ended(curve_scores(evaluation.curve, 10))
        scores.append(evaluation.score)
    limits: dict[str, Any] = {"epochs": 12, "patience": 5, "should_stop": stopper.should_stop}
    hopeless = HeadParameters(learning_rate=1e-6)
    slow = trainer.train(hopeless, seed=0, **limits).evaluation
    assert slow.stopped
    assert len(slow.curve.train_loss) < 8
    best = scores.index(max(scores))
    assert not trainer.train(FAST, seed=best, **limits).evaluation.stopped


def test_a_search_ends_when_the_gain_stays_below_the_threshold() -> None:
    gains = iter([0.0001, 0.02, 0.0005, 0.0004, 0.0003])
    stopper = SearchStopper(lambda: next(gains), threshold=0.001, fewest_trials=4)
    assert [stopper.reason_to_end(trials) for trials in range(1, 8)] == [""] * 7
    reason = stopper.reason_to_end(8)
    assert reason == (
        "ended after 8 trials: the next one was expected to gain 0.0003 of the score, less than "
        "0.001 for 3 trials in a row"
    )


def test_a_gain_of_the_threshold_is_worth_a_trial() -> None:
    stopper = SearchStopper(lambda: 0.001, threshold=0.001, fewest_trials=1)
    assert [stopper.reason_to_end(trials) for trials in range(1, 9)] == [""] * 8


def test_a_threshold_of_nothing_never_ends_a_search() -> None:
    def unasked() -> float:
        raise AssertionError("nobody needs to know")

    assert SearchStopper(unasked, threshold=0.0, fewest_trials=1).reason_to_end(100) == ""


@pytest.fixture
def search(
    digits_task: HeadTask, digits_origin: Origin, tmp_path: Path
) -> Callable[[SearchSettings], SearchResult]:
    def run(settings: SearchSettings) -> SearchResult:
        description = describe(digits_task, digits_origin)
        return search_heads(HeadTrainer(digits_task), description, settings, tmp_path / "scratch")

    return run


def test_a_search_stops_trials_and_makes_the_same_choice_again(
    search: Callable[[SearchSettings], SearchResult],
    small_search: Callable[..., SearchSettings],
    tmp_path: Path,
) -> None:
    settings = small_search(trials=12, epochs=10, stop_trials=True)
    first = search(settings).history
    stopped = [trial for trial in first.trials if trial.evaluations[0].stopped]
    assert stopped
    assert first.best not in stopped
    write_history(tmp_path / "history.jsonl", first)
    assert read_history(tmp_path / "history.jsonl") == first
    assert search(settings).history.trials == first.trials
    whole = search(small_search(trials=12, epochs=10, stop_trials=False)).history
    assert not any(trial.evaluations[0].stopped for trial in whole.trials)
    assert sum(len(trial.evaluations[0].curve.train_loss) for trial in first.trials) < sum(
        len(trial.evaluations[0].curve.train_loss) for trial in whole.trials
    )


def test_a_search_that_expects_too_little_ends_and_says_why(
    search: Callable[[SearchSettings], SearchResult],
    small_search: Callable[..., SearchSettings],
) -> None:
    settings = small_search(trials=10, epochs=2, algorithm="warm", stop_search=0.9)
    header = search(settings).history.header
    assert header.trials == 7
    assert header.ended.startswith("ended after 7 trials: the next one was expected to gain 0.")
    patient = search(settings.model_copy(update={"stop_search": 0.0})).history.header
    assert (patient.trials, patient.ended) == (10, "")
