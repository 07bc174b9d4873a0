"""Searches whose trials run beside each other in processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fragile_training import DEADLY_UNITS, HOPELESS_UNITS, FragileTrainer

from models import progress
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask
from models.head.task_description import Origin, describe
from models.history.tuning_history import TuningHistory
from models.search.folds import FoldTrainers
from models.search.head_search import search_heads
from models.search.parallel_tuner import EndOrder
from models.search.search_settings import SearchSettings

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
    # What a process says of a head is what this one would have said.
    best = history.best
    assert best is not None
    on_split, on_fold = best.evaluations[:2]
    parameters = HeadParameters.from_values(best.values)
    here = HeadTrainer(digits_task)
    again = here.train(parameters, epochs=12, patience=5, seed=0)
    assert on_split.score == pytest.approx(again.evaluation.score, abs=0.01)
    assert on_split.validation_accuracy > 0.85
    assert on_fold.fold == 0
    again = FoldTrainers(here, 2, seed=0)[0].train(parameters, epochs=12, patience=5, seed=1)
    assert on_fold.score == pytest.approx(again.evaluation.score, abs=0.01)


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


KILLED = """
import sys
from pathlib import Path
import numpy as np
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.head.head_trainer import HeadTrainer
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings

folder = Path(sys.argv[1])
data = np.load(folder / "task.npz")
task = HeadTask(
    LabelledEmbeddings(data["train"], data["train_classes"]),
    LabelledEmbeddings(data["validation"], data["validation_classes"]),
    10,
)
origin = Origin("pixels", "none", "0" * 64, image_size=8, data_fingerprint="f" * 64)
settings = SearchSettings.from_json((folder / "settings.json").read_text())
search_heads(HeadTrainer(task), describe(task, origin), settings, folder / "scratch")
"""


def test_a_search_that_was_killed_finds_all_its_finished_trials(
    search: Callable[..., TuningHistory],
    small_search: MakeSettings,
    digits_task: HeadTask,
    tmp_path: Path,
) -> None:
    settings = small_search(trials=14, parallel=2, algorithm="warm", epochs=15)
    (tmp_path / "settings.json").write_text(settings.to_json())
    np.savez(
        tmp_path / "task.npz",
        train=digits_task.train.embeddings,
        train_classes=digits_task.train.classes,
        validation=digits_task.validation.embeddings,
        validation_classes=digits_task.validation.classes,
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=environment)
    while len(kept(tmp_path)) < 6:
        assert process.poll() is None, "the search ended before it could be killed"
        time.sleep(0.02)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = kept(tmp_path)

    resumed = search(settings)
    assert len(resumed.completed) == distinct(resumed) == 14
    # None was made again, and each is one of the search's trials.
    everything = kept(tmp_path)
    assert {file: everything[file] for file in finished} == finished
    assert len(everything) == 14
    # With every trial there, and the order of their ends, the search is the same.
    assert search(settings).trials == resumed.trials
    assert kept(tmp_path) == everything
    assert not any(is_alive(pid) for pid in workers)


def test_the_order_of_ends_is_followed_while_it_fits(tmp_path: Path) -> None:
    first = EndOrder(tmp_path / "order.json")
    assert first.expected({0, 1}) is None
    for number in (1, 0, 3, 2):
        first.add(number)
    again = EndOrder(tmp_path / "order.json")
    assert again.expected({0, 1}) == 1
    again.add(1)
    assert again.expected({0, 2}) == 0
    again.add(2)
    assert again.expected({0, 3}) is None
    assert EndOrder(tmp_path / "order.json").expected({1}) == 1
    for damage in (b"", b'["one"]', b"[1, 2"):
        (tmp_path / "order.json").write_bytes(damage)
        assert EndOrder(tmp_path / "order.json").expected({1}) is None
