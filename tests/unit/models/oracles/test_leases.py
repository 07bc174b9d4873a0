"""Leases in one process: the test is the chief, and speaks for its workers."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import keras_tuner
import pytest
from keras_tuner.engine.trial import Trial

from models.oracles.leases import LeasingOracle, heartbeat

TIMEOUT = 60.0


class Leased(LeasingOracle, keras_tuner.oracles.RandomSearchOracle):
    """Random search with leases."""


class Clock:
    """Stands still until it is set: how busy the machine is must not matter."""

    now = 0.0

    def pass_by(self, share_of_the_timeout: float) -> None:
        self.now += TIMEOUT * share_of_the_timeout


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    stopped = SimpleNamespace(monotonic=lambda: made.now, sleep=time.sleep)
    monkeypatch.setattr("models.oracles.leases.time", stopped)
    return made


@pytest.fixture
def oracle(tmp_path: Path) -> Leased:
    space = keras_tuner.HyperParameters()
    space.Float("rate", 1e-4, 1e-1, sampling="log")
    made = Leased(
        objective=keras_tuner.Objective("score", "max"),
        max_trials=2,
        hyperparameters=space,
        seed=1,
        trial_timeout=TIMEOUT,
    )
    made.verbose = 0
    made._set_project_dir(tmp_path, "leases")
    return made


def answer(oracle: Leased, trial: Trial, score: float = 0.5) -> None:
    """What a worker does at the end of a trial."""
    oracle.update_trial(trial.trial_id, {"score": score})
    finished = Trial.from_proto(trial.to_proto())
    finished.status = "COMPLETED"
    oracle.end_trial(finished)


def test_the_trial_of_a_silent_worker_goes_to_another(oracle: Leased, clock: Clock) -> None:
    lost = oracle.create_trial("one")
    assert oracle.create_trial("two").trial_id != lost.trial_id
    clock.pass_by(1.2)
    taken = oracle.create_trial("three")
    assert taken.trial_id == lost.trial_id
    answer(oracle, taken)
    assert oracle.end_order == [lost.trial_id]


def test_a_worker_that_is_heard_of_keeps_its_trial(oracle: Leased, clock: Clock) -> None:
    trial = oracle.create_trial("one")
    with heartbeat(oracle, trial.trial_id, seconds=0.01):
        for _ in range(2):
            clock.pass_by(0.8)
            while oracle._heard["one"] < clock.now:
                time.sleep(0.01)
        assert oracle.create_trial("two").trial_id != trial.trial_id
    assert oracle.create_trial("one").trial_id == trial.trial_id


def test_the_first_answer_counts(oracle: Leased, clock: Clock) -> None:
    slow = oracle.create_trial("slow")
    clock.pass_by(1.2)
    assert oracle.create_trial("quick").trial_id == slow.trial_id
    answer(oracle, slow, 0.7)
    answer(oracle, slow, 0.2)
    assert oracle.get_trial(slow.trial_id).score == pytest.approx(0.7)
    assert oracle.get_trial(slow.trial_id).metrics.get_best_value("score") == pytest.approx(0.7)
    assert oracle.end_order == [slow.trial_id]
    assert not oracle.ongoing_trials


def test_a_slow_answer_takes_the_trial_off_the_queue(oracle: Leased, clock: Clock) -> None:
    dead, slow = oracle.create_trial("dead"), oracle.create_trial("slow")
    clock.pass_by(1.2)
    taken = oracle.create_trial("quick")
    assert taken.trial_id == dead.trial_id
    answer(oracle, slow)
    answer(oracle, taken)
    assert oracle.create_trial("quick").status == "STOPPED"
    assert sorted(oracle.end_order) == sorted(oracle.trials)


def test_workers_wait_while_a_trial_may_come_back(oracle: Leased, clock: Clock) -> None:
    first, second = oracle.create_trial("one"), oracle.create_trial("two")
    answer(oracle, first)
    assert oracle.create_trial("one").status == "IDLE"
    clock.pass_by(1.2)
    assert oracle.create_trial("one").trial_id == second.trial_id
    answer(oracle, second)
    assert oracle.create_trial("one").status == "STOPPED"
    assert not oracle.tuner_ids


def test_a_worker_that_dies_without_a_trial_is_not_waited_for(oracle: Leased, clock: Clock) -> None:
    trials = [oracle.create_trial(name) for name in ("one", "two")]
    for trial in trials:
        answer(oracle, trial)
    assert oracle.create_trial("one").status == "STOPPED"
    assert oracle.tuner_ids == {"two"}
    clock.pass_by(1.2)
    assert oracle.tuner_ids == set()


def test_a_trial_that_costs_three_workers_has_failed(oracle: Leased, clock: Clock) -> None:
    lost = oracle.create_trial("0")
    for name in ("1", "2"):
        clock.pass_by(1.2)
        assert oracle.create_trial(name).trial_id == lost.trial_id
    clock.pass_by(1.2)
    assert oracle.create_trial("3").trial_id != lost.trial_id
    assert oracle.get_trial(lost.trial_id).status == "FAILED"
    assert oracle.get_trial(lost.trial_id).message.startswith("3 workers fell silent")


def test_a_worker_that_is_known_to_be_gone_loses_its_trial_at_once(oracle: Leased) -> None:
    lost = oracle.create_trial("one")
    for name in ("one", "two", "three"):
        assert oracle.create_trial(name).trial_id == lost.trial_id
        for _ in range(2):  # the second time it has no trial
            oracle.lose(name, "processes died")
    assert oracle.create_trial("four").trial_id != lost.trial_id
    assert oracle.get_trial(lost.trial_id).status == "FAILED"
    assert oracle.get_trial(lost.trial_id).message == "3 processes died"


def test_trials_that_are_let_go_are_handed_out_at_once(oracle: Leased) -> None:
    lost = [oracle.create_trial(name).trial_id for name in ("one", "two")]
    oracle.let_go()
    assert not oracle.tuner_ids
    assert [oracle.create_trial(name).trial_id for name in ("three", "four")] == lost


def test_a_listener_hears_of_each_trial_once(oracle: Leased, clock: Clock) -> None:
    heard: list[tuple[str, str]] = []
    oracle.listener = lambda kind, trial: heard.append((kind, trial.trial_id))
    first = oracle.create_trial("slow")
    clock.pass_by(1.2)
    again = oracle.create_trial("quick")
    answer(oracle, again)
    answer(oracle, first)
    assert heard == [("began", first.trial_id), ("ended", first.trial_id)]


class InterruptedOnce(Leased):
    """As by Ctrl-C while it proposes."""

    interruptions = 1

    def populate_space(self, trial_id: str) -> dict[str, object]:
        if self.interruptions:
            self.interruptions -= 1
            raise KeyboardInterrupt
        return super().populate_space(trial_id)


def test_a_call_that_is_interrupted_blocks_no_other_thread(tmp_path: Path) -> None:
    oracle = InterruptedOnce(objective=keras_tuner.Objective("score", "max"), max_trials=2)
    oracle.verbose = 0
    oracle._set_project_dir(tmp_path, "leases")
    with pytest.raises(KeyboardInterrupt):
        oracle.create_trial("one")
    other = threading.Thread(target=oracle.create_trial, args=("two",), daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()
    assert "two" in oracle.ongoing_trials


def test_a_timeout_must_pass() -> None:
    with pytest.raises(ValueError, match="seconds above 0, but got 0"):
        Leased(objective="val_loss", trial_timeout=0)
