"""A search that is killed goes on where it was."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from counting_trainer import CountingTrainer

from models.head.labelled_embeddings import HeadTask
from models.head.task_description import Origin, describe
from models.history.past_search import PastSearch
from models.history.tuning_history import write_history
from models.search.head_search import SearchResult, search_heads
from models.search.search_settings import SearchSettings

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from models import progress
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.head.head_trainer import HeadTrainer
from models.history.tuning_history import read_history
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings
from models.history.past_search import PastSearch

folder = Path(sys.argv[1])
data = np.load(folder / "task.npz")
task = HeadTask(
    LabelledEmbeddings(data["train"], data["train_classes"]),
    LabelledEmbeddings(data["validation"], data["validation_classes"]),
    10,
)
origin = Origin("pixels", "none", "0" * 64, image_size=8, data_fingerprint="f" * 64)
settings = SearchSettings.from_json((folder / "settings.json").read_text())
past = [PastSearch.from_history(read_history(folder / "past.jsonl"), "earlier")]
def tell(state):
    if state.unit == "trials" and state.done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

with progress.listening(tell):
    search_heads(HeadTrainer(task), describe(task, origin), settings, folder / "scratch", past=past)
"""


def test_after_a_kill_the_search_goes_on_as_if_nothing_had_been(
    small_search: Callable[..., SearchSettings],
    digits_task: HeadTask,
    digits_origin: Origin,
    tmp_path: Path,
) -> None:
    trainer = CountingTrainer(digits_task)
    description = describe(digits_task, digits_origin)

    def search(settings: SearchSettings, **options: Any) -> SearchResult:
        return search_heads(trainer, description, settings, tmp_path / "scratch", **options)

    earlier = search(small_search(trials=8), seed=1, code="earlier").history
    write_history(tmp_path / "past.jsonl", earlier)
    shutil.rmtree(tmp_path / "scratch")
    past = [PastSearch.from_history(earlier, "earlier")]
    settings = small_search(trials=12, algorithm="warm", epochs=15)
    (tmp_path / "settings.json").write_text(settings.to_json())
    np.savez(
        tmp_path / "task.npz",
        train=digits_task.train.embeddings,
        train_classes=digits_task.train.classes,
        validation=digits_task.validation.embeddings,
        validation_classes=digits_task.validation.classes,
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    files = (tmp_path / "scratch").glob("*/trials/[!.]*.json")
    finished = {file: file.stat().st_mtime_ns for file in files}
    assert len(finished) == 2

    before = trainer.trained
    resumed = search(settings, past=past)
    assert len(resumed.history.trials) == 12
    assert trainer.trained - before <= 12 - len(finished)
    assert {file: file.stat().st_mtime_ns for file in finished} == finished
    # The same search, never killed.
    untouched = search(settings, past=past, code="elsewhere")
    assert [trial.values for trial in resumed.history.trials] == [
        trial.values for trial in untouched.history.trials
    ]
    assert resumed.contribution is not None
    assert untouched.contribution is not None
    assert resumed.contribution.proposals == untouched.contribution.proposals
    assert "model" in {each.origin for each in resumed.contribution.proposals}
