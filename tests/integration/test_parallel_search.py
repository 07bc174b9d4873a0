"""Searches whose trials run beside each other in processes of this machine."""

import multiprocessing
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fragile_training import DEADLY_UNITS, HOPELESS_UNITS, FragileTrainer, UnreadyTrainer
from graft_command import await_that
from killed_search import kill_a_search

from models import progress
from models.errors import GraftError
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask
from models.head.task_description import Origin, describe
from models.history.tuning_history import TuningHistory
from models.search.folds import FoldTrainers
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings
from models.search.workers.search_worker import work

MakeSettings = Callable[..., SearchSettings]


@pytest.fixture
def search(
    digits_task: HeadTask, digits_origin: Origin, tmp_path: Path
) -> Callable[..., TuningHistory]:
    def run(settings: SearchSettings, trainer: HeadTrainer | None = None) -> TuningHistory:
        description = describe(digits_task, digits_origin)
        trainer = trainer or HeadTrainer(digits_task)
        return search_heads(trainer, description, settings, tmp_path / "scratch").history

    return run


def distinct(history: TuningHistory) -> int:
    return len({str(trial.values) for trial in history.trials})


def kept(folder: Path) -> dict[Path, int]:
    files = (folder / "scratch").glob("*/trials/[!.]*.json")
    return {file: file.stat().st_mtime_ns for file in files}


def is_alive(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    # One that nobody waits for stays as a zombie.
    return status.rpartition(")")[2].split()[0] != "Z"


def assert_scored_as_here(task: HeadTask, history: TuningHistory, *, epochs: int) -> None:
    """What a process says of the best head, on the split and a fold, this one says too."""
    best = history.best
    assert best is not None
    on_split, on_fold = best.evaluations[:2]
    parameters = HeadParameters.from_values(best.values)
    here = HeadTrainer(task)
    again = here.train(parameters, epochs=epochs, patience=5, seed=0)
    assert on_split.score == pytest.approx(again.evaluation.score, abs=0.01)
    assert on_split.validation_accuracy > 0.85
    assert on_fold.fold == 0
    again = FoldTrainers(here, 2, seed=0)[0].train(parameters, epochs=epochs, patience=5, seed=1)
    assert on_fold.score == pytest.approx(again.evaluation.score, abs=0.01)


@pytest.mark.slow
def test_killed_processes_cost_no_trial(
    search: Callable[..., TuningHistory], small_search: MakeSettings, digits_task: HeadTask
) -> None:
    killed: list[int | None] = []

    def kill_all(_: progress.Progress) -> None:
        if not killed:
            for process in multiprocessing.active_children():
                process.kill()
                killed.append(process.pid)

    with progress.listening(kill_all):
        history = search(
            small_search(trials=8, parallel=2, algorithm="warm", epochs=12, finalists=3, repeats=2)
        )
    assert len(killed) == 2
    assert not multiprocessing.active_children()
    assert len(history.completed) == distinct(history) == 8
    assert_scored_as_here(digits_task, history, epochs=12)


def test_a_training_that_kills_or_fails_is_a_failed_trial(
    search: Callable[..., TuningHistory], small_search: MakeSettings, digits_task: HeadTask
) -> None:
    units = (0, DEADLY_UNITS, HOPELESS_UNITS)
    alike = {"weight_decay": (1e-4, 1e-4), "dropout": (0.1, 0.1), "label_smoothing": (0.0, 0.0)}
    settings = small_search(
        trials=3,
        parallel=2,
        algorithm="warm",
        epochs=1,
        hidden_units=units,
        batch_size=(64,),
        learning_rate=(1e-2, 1e-2),
        **alike,
    )
    history = search(settings, FragileTrainer(digits_task))
    messages = {trial.values["hidden_units"]: trial.message for trial in history.trials}
    assert messages[0] == ""
    assert "3 processes died while they were at this training" in messages[DEADLY_UNITS]
    assert messages[HOPELESS_UNITS] == f"MemoryError: no room for {HOPELESS_UNITS} units"


@pytest.mark.slow
def test_a_search_that_was_killed_finds_all_its_finished_trials(
    search: Callable[..., TuningHistory],
    small_search: MakeSettings,
    digits_task: HeadTask,
    digits_origin: Origin,
    tmp_path: Path,
) -> None:
    settings = small_search(trials=14, parallel=2, algorithm="warm", epochs=15)
    workers = kill_a_search(tmp_path, digits_task, digits_origin, settings, after=6)
    assert len(workers) == 2
    await_that(lambda: not any(is_alive(pid) for pid in workers), "the workers have ended too")
    finished = kept(tmp_path)
    assert len(finished) >= 6

    resumed = search(settings)
    assert len(resumed.completed) == distinct(resumed) == 14
    # None was made again, and each is one of the search's trials.
    everything = kept(tmp_path)
    assert {file: everything[file] for file in finished} == finished
    assert len(everything) == 14
    # With every trial there, and the order of their ends, the search is the same.
    assert search(settings).trials == resumed.trials
    assert kept(tmp_path) == everything


def test_processes_here_and_workers_elsewhere_share_a_search(
    search: Callable[..., TuningHistory], small_search: MakeSettings, digits_task: HeadTask
) -> None:
    made: list[int] = []

    def join(told: progress.Progress) -> None:
        if told.is_lasting:
            folder = Path(told.note.rpartition("graft worker ")[2])
            elsewhere.submit(lambda: made.append(work(folder, code="")))

    with ThreadPoolExecutor() as elsewhere, progress.listening(join), socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        history = search(
            small_search(trials=6, parallel=2, serve=address, epochs=12, finalists=2, repeats=2)
        )
    assert len(history.completed) == distinct(history) == 6
    assert [len(trial.evaluations) > 1 for trial in history.trials].count(True) == 2
    assert_scored_as_here(digits_task, history, epochs=12)
    assert 0 <= made[0] <= 6


def test_processes_that_cannot_work_end_the_search(
    search: Callable[..., TuningHistory], small_search: MakeSettings, digits_task: HeadTask
) -> None:
    with pytest.raises(GraftError, match="ended with exit code 1 without a trial"):
        search(small_search(parallel=2), UnreadyTrainer(digits_task))
