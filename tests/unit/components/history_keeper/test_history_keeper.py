"""Histories kept for the runs of others."""

from pathlib import Path

from histories import history, task, write

from components.artifact_names import HISTORY_FILE
from components.artifact_types import TuningHistory
from components.history_keeper.executor import Executor
from components.past_searches.stored_histories import EMPTY


def keep(artifact: TuningHistory, folder: Path) -> list[bytes]:
    Executor().Do({"history": [artifact]}, {}, {"folder": str(folder)})
    return [file.read_bytes() for file in folder.glob("*.jsonl")]


def test_a_history_is_kept_once_and_a_run_without_a_search_leaves_none(tmp_path: Path) -> None:
    artifact = TuningHistory()
    artifact.uri = str(tmp_path / "history")
    kept = tmp_path / "kept"
    artifact.set_int_custom_property(EMPTY, 1)
    assert keep(artifact, kept) == []
    searched = TuningHistory()
    searched.uri = artifact.uri
    file = write(Path(artifact.uri) / HISTORY_FILE, history(task("a" * 64)))
    for _ in range(2):
        assert keep(searched, kept) == [file.read_bytes()]


def test_a_folder_that_cannot_be_written_fails_no_run(tmp_path: Path) -> None:
    searched = TuningHistory()
    searched.uri = str(tmp_path / "history")
    write(tmp_path / "history" / HISTORY_FILE, history(task("a" * 64)))
    (tmp_path / "file").touch()
    assert keep(searched, tmp_path / "file") == []
