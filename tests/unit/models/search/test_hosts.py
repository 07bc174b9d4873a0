"""Searches that are served, with workers in threads; the integration tests have processes."""

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from models import progress
from models.errors import GraftError, UsageError
from models.head.head_trainer import DivergedError, HeadTrainer, TrainedHead
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask
from models.head.task_description import Origin, describe
from models.history.tuning_history import TuningHistory
from models.oracles.algorithms import OBJECTIVE, build_oracle
from models.search.folds import FoldTrainers
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings
from models.search.trial_runner import TrialRunner
from models.search.trial_store import TrialStore
from models.search.workers.chief_client import ChiefClient, SearchEndedError
from models.search.workers.journal import Event, Journal
from models.search.workers.messages import Report
from models.search.workers.search_server import serving
from models.search.workers.search_worker import make_trials, work
from models.search.workers.served_search import ServedSearch, read_served, read_task, write_served
from models.search.workers.stage import Stage
from pipeline.cli import main

MakeSettings = Callable[..., SearchSettings]


@pytest.fixture
def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def search(
    digits_task: HeadTask, digits_origin: Origin, tmp_path: Path
) -> Callable[..., TuningHistory]:
    def run(
        settings: SearchSettings, trainer: HeadTrainer | None = None, **options: Any
    ) -> TuningHistory:
        description = describe(digits_task, digits_origin)
        trainer = trainer or HeadTrainer(digits_task)
        scratch = tmp_path / "scratch"
        return search_heads(trainer, description, settings, scratch, code="1", **options).history

    return run


@pytest.fixture
def served(small_search: MakeSettings, address: str) -> ServedSearch:
    return ServedSearch(
        mark="m",
        address=address,
        code="1",
        classes=10,
        search=small_search().describe(seed=0, patience=5, class_weights="balanced"),
        folds=1,
    )


class PatientTrainer(HeadTrainer):
    """The run's: it begins when others have finished three trials."""

    store = Path()

    def train(self, *args: Any, **kwargs: Any) -> TrainedHead:
        while len(list(self.store.glob("*/trials/[!.]*.json"))) < 3:
            time.sleep(0.02)
        return super().train(*args, **kwargs)


def test_workers_make_trials_of_the_search(
    search: Callable[..., TuningHistory],
    small_search: MakeSettings,
    digits_task: HeadTask,
    address: str,
    tmp_path: Path,
) -> None:
    made: list[int] = []

    def join(told: progress.Progress) -> None:
        if told.is_lasting:
            folder = Path(told.note.rpartition("graft worker ")[2])
            worker = threading.Thread(target=lambda: made.append(work(folder, code="1")))
            worker.start()
            workers.append(worker)

    workers: list[threading.Thread] = []
    trainer = PatientTrainer(digits_task)
    trainer.store = tmp_path / "scratch"
    settings = small_search(trials=8, serve=address)
    with progress.listening(join):
        history = search(settings, trainer)
    for worker in workers:
        worker.join(30)
    assert len(history.completed) == 8
    assert 3 <= made[0] < 8
    # The seed alone decides what a random search proposes: who made it is no matter.
    alone = search(small_search(trials=8))
    assert {str(trial.values) for trial in history.trials} == {
        str(trial.values) for trial in alone.trials
    }
    by_values = {str(trial.values): trial.evaluations for trial in history.trials}
    assert all(by_values[str(trial.values)] == trial.evaluations for trial in alone.trials)
    # Gone through again, it is the same.
    assert search(settings).trials == history.trials


class FailingTrainer(HeadTrainer):
    def train(self, parameters: HeadParameters, **kwargs: Any) -> TrainedHead:
        if parameters.hidden_units:
            raise DivergedError("it grew without bounds")
        return super().train(parameters, **kwargs)


def test_failed_trials_are_remembered(
    search: Callable[..., TuningHistory],
    small_search: MakeSettings,
    digits_task: HeadTask,
    address: str,
) -> None:
    settings = small_search(trials=8, serve=address)
    history = search(settings, FailingTrainer(digits_task))
    failed = [trial for trial in history.trials if trial.status == "failed"]
    assert 0 < len(failed) < 8
    assert all("it grew without bounds" in trial.message for trial in failed)
    again = search(settings)
    assert [trial.status for trial in again.trials] == [trial.status for trial in history.trials]


def test_a_worker_says_why_a_trial_failed_and_strangers_are_refused(
    served: ServedSearch, small_search: MakeSettings, digits_task: HeadTask, tmp_path: Path
) -> None:
    oracle = build_oracle("random", small_search().space, trials=1, seed=0)
    oracle.verbose = 0
    oracle._set_project_dir(tmp_path, "keras_tuner")
    trainers = FoldTrainers(HeadTrainer(digits_task), 1, seed=0)
    runner = TrialRunner(trainers, served.search, TrialStore(tmp_path))
    with (
        ThreadPoolExecutor() as elsewhere,
        serving(served, tmp_path, digits_task, curves=[(0.1, 0.2)]) as server,
    ):
        worker = ChiefClient(tmp_path, served, timeout=120.0)
        assert not worker.next(Report(worker="worker")).job
        server.stage = Stage(oracle, runner)
        answer = worker.next(Report(worker="worker"))
        assert answer.curves == ((0.1, 0.2),)
        assert answer.values == oracle.trials["0"].hyperparameters.values
        message = "Traceback:\nMemoryError: nöne left"
        again = worker.next(Report(worker="worker", curves=1))
        assert (again.job, again.curves) == (answer.job, ())
        idle = worker.next(Report(worker="worker", job=answer.job, message=message))
        assert (idle.job, idle.is_over) == ("", False)
        assert oracle.trials["0"].status == "FAILED"
        assert oracle.trials["0"].message == message
        assert server.stage.over.is_set()
        other = served.model_copy(update={"mark": "other"})
        stranger = ChiefClient(tmp_path, other, timeout=120.0)
        with pytest.raises(SearchEndedError):
            stranger.next(Report(worker="stranger"))
        waiting = elsewhere.submit(make_trials, worker, "worker", runner)
    # It was told that there is nothing more to do.
    waiting.result()
    worker.close()
    stranger.close()
    with pytest.raises(UsageError, match="No search is served"):
        read_served(tmp_path)


def test_an_address_that_is_taken_is_refused(
    search: Callable[..., TuningHistory], small_search: MakeSettings, address: str
) -> None:
    host, _, port = address.rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        with pytest.raises(UsageError, match=r"tuning\.serve: .* cannot be listened at"):
            search(small_search(serve=address))


def test_an_oracle_without_leases_is_refused(
    search: Callable[..., TuningHistory], small_search: MakeSettings, address: str
) -> None:
    settings = small_search(serve=address)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        OBJECTIVE, 2, hyperparameters=settings.space.to_hyperparameters()
    )
    with pytest.raises(UsageError, match="leases, but got RandomSearchOracle"):
        search(settings, oracle=oracle)


def test_what_a_worker_needs_reads_back(
    served: ServedSearch, digits_task: HeadTask, tmp_path: Path
) -> None:
    write_served(tmp_path, served, digits_task)
    assert read_served(tmp_path) == served
    task = read_task(tmp_path, served)
    assert (task.train.embeddings == digits_task.train.embeddings).all()
    assert (task.validation.classes == digits_task.validation.classes).all()
    (tmp_path / "served.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(UsageError, match=r"served\.npz cannot be read"):
        read_task(tmp_path, served)


def test_a_folder_without_a_search_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", str(tmp_path)]) == 2
    assert "No search is served in" in capsys.readouterr().err


def test_another_version_is_refused(
    served: ServedSearch,
    digits_task: HeadTask,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_served(tmp_path, served, digits_task)
    # Its code is "1".
    assert main(["worker", str(tmp_path)]) == 2
    assert "another version of Graft" in capsys.readouterr().err
    file = tmp_path / "served.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "classes": "ten"}))
    assert main(["worker", str(tmp_path)]) == 2
    assert "served.json cannot be read" in capsys.readouterr().err


def test_a_run_that_does_not_answer_is_given_up(
    served: ServedSearch, digits_task: HeadTask, tmp_path: Path
) -> None:
    write_served(tmp_path, served, digits_task)
    with pytest.raises(GraftError, match="did not answer for 1 s"):
        work(tmp_path, code="1", timeout=1.0)


def test_events_are_written_when_they_are_others(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    events = [
        Event(kind="began", trial=0, values={"rate": 0.1, "units": 16}),
        Event(kind="ended", trial=0, values={"rate": 0.1, "units": 16}, message="too bad"),
    ]
    first = Journal(file)
    for event in events:
        first.add(event)
    written = file.stat().st_mtime_ns
    again = Journal(file)
    assert again.earlier == events
    for event in events:
        again.add(event)
    assert file.stat().st_mtime_ns == written
    other = Journal(file)
    other.add(events[0].model_copy(update={"values": {"rate": 0.2}}))
    assert len(Journal(file).earlier) == 1
    file.write_bytes(b'[{"kind": "be')
    assert Journal(file).earlier == []
