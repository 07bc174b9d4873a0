"""A search for a head that kills itself; run as a program, by `kill_a_search`.

    python tests/killed_search.py FOLDER TRIALS

searches on the task in FOLDER and kills itself when TRIALS trials have ended.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from models import progress
from models.head.head_trainer import HeadTrainer
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.history.past_search import PastSearch
from models.history.tuning_history import TuningHistory, read_history, write_history
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings


def kill_a_search(
    folder: Path,
    task: HeadTask,
    origin: Origin,
    settings: SearchSettings,
    *,
    after: int,
    past: Sequence[TuningHistory] = (),
) -> list[str]:
    """Runs a search in a process of its own, which is killed.

    Args:
        folder: the search's `scratch` will lie in it.
        task: to search on.
        origin: of the task; a search of another one would not go on from there.
        settings: of the search.
        after: trials that end before the kill.
        past: histories that it learns from.

    Returns:
        Process ids of the workers that it had.
    """
    (folder / "settings.json").write_text(settings.to_json())
    (folder / "origin.json").write_text(json.dumps(asdict(origin)))
    for number, history in enumerate(past):
        write_history(folder / f"past-{number}.jsonl", history)
    np.savez(
        folder / "task.npz",
        train=task.train.embeddings,
        train_classes=task.train.classes,
        validation=task.validation.embeddings,
        validation_classes=task.validation.classes,
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, __file__, str(folder), str(after)]
    killed = subprocess.run(command, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    return (folder / "workers").read_text().split()


def read_task(folder: Path) -> HeadTask:
    """The task that was written to `task.npz`, of ten classes."""
    data = np.load(folder / "task.npz")
    return HeadTask(
        LabelledEmbeddings(data["train"], data["train_classes"]),
        LabelledEmbeddings(data["validation"], data["validation_classes"]),
        10,
    )


def main(folder: Path, trials: int) -> None:
    def tell(state: progress.Progress) -> None:
        if state.unit == "trials" and state.done == trials:
            workers = [str(process.pid) for process in multiprocessing.active_children()]
            (folder / "workers").write_text(" ".join(workers))
            os.kill(os.getpid(), signal.SIGKILL)

    task = read_task(folder)
    settings = SearchSettings.from_json((folder / "settings.json").read_text())
    origin = Origin(**json.loads((folder / "origin.json").read_text()))
    files = sorted(folder.glob("past-*.jsonl"))
    past = [PastSearch.from_history(read_history(file), "earlier") for file in files]
    with progress.listening(tell):
        search_heads(
            HeadTrainer(task), describe(task, origin), settings, folder / "scratch", past=past
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
