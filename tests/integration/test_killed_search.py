"""A search that is killed goes on where it was."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counting_trainer import CountingTrainer
from killed_search import kill_a_search

from models.head.labelled_embeddings import HeadTask
from models.head.task_description import Origin, describe
from models.history.past_search import PastSearch
from models.search.head_search import SearchResult, search_heads
from models.search.search_settings import SearchSettings


@pytest.mark.parametrize("algorithm", ["warm", pytest.param("bayesian", marks=pytest.mark.slow)])
def test_after_a_kill_the_search_goes_on_as_if_nothing_had_been(
    small_search: Callable[..., SearchSettings],
    digits_task: HeadTask,
    digits_origin: Origin,
    tmp_path: Path,
    algorithm: str,
) -> None:
    trainer = CountingTrainer(digits_task)
    description = describe(digits_task, digits_origin)

    def search(settings: SearchSettings, **options: Any) -> SearchResult:
        return search_heads(trainer, description, settings, tmp_path / "scratch", **options)

    earlier = search(small_search(trials=8), seed=1, code="earlier").history
    shutil.rmtree(tmp_path / "scratch")
    past = [PastSearch.from_history(earlier, "earlier")]
    settings = small_search(trials=12, algorithm=algorithm, epochs=15)
    kill_a_search(tmp_path, digits_task, digits_origin, settings, after=2, past=[earlier])
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
    if algorithm == "warm":
        assert resumed.contribution is not None
        assert untouched.contribution is not None
        assert resumed.contribution.proposals == untouched.contribution.proposals
        assert "model" in {each.origin for each in resumed.contribution.proposals}
