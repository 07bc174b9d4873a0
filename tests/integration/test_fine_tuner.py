"""FineTuner as a node of a pipeline, on artifacts in the form that its neighbours write."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from fine_tuning_histories import fine_tuning_history
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import metadata, pipeline
from tfx.types import Channel
from trainer_inputs import channels, importers, write_inputs
from training_digits import PARAMETERS

from components.artifact_types import TuningHistory
from components.fine_tuner.component import FineTuner
from components.past_searches.knowledge import Knowledge, find_knowledge
from components.past_searches.past_searches_resolver import PastSearchesStrategy
from models.head.hyperparameters import HeadParameters
from models.history.contribution import read_contribution
from models.history.tuning_history import read_history, write_history
from models.search.search_settings import SearchSettings
from models.training.searched_settings import chosen_values, with_choice
from models.training.training_settings import TrainingSettings
from pipeline.local_runner import StageResult, run_pipeline

_RUN = itertools.count()


def run(
    folder: Path, *, trials: int, knowledge: Knowledge | None = None, **training: Any
) -> StageResult:
    """Runs the search after the look-up of earlier ones."""
    nodes = importers(folder)
    configured = TrainingSettings(epochs=1, batch_size=8, unfreeze=0.1, **training)
    parameters: dict[str, Any] = {
        "settings": SearchSettings(fine_tune_trials=trials).to_json(),
        "training": configured.to_json(),
        "seed": 1,
        "name": "digits",
        "knowledge": (knowledge or Knowledge()).to_json(),
        "code": "1",
    }
    past = Resolver(
        strategy_class=PastSearchesStrategy,
        config={"parameters": parameters},
        past=Channel(type=TuningHistory),
        **channels(nodes),
    ).with_id("Past")
    tuner = FineTuner(
        **channels(nodes),
        past=past.outputs["past"],
        scratch_dir=str(folder / "scratch"),
        **parameters,
    )
    store = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    stages = run_pipeline(
        pipeline.Pipeline(
            pipeline_name="graft",
            pipeline_root=str(folder / "artifacts"),
            components=[*nodes.values(), past, tuner],
            enable_cache=True,
            metadata_connection_config=store,
        ),
        f"run-{next(_RUN)}",
        lambda _: None,
    )
    (tuned,) = [stage for stage in stages if stage.name == "FineTuner"]
    return tuned


@pytest.fixture(scope="module")
def folder(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fine_tuner")
    write_inputs(digits_folder, folder)
    return folder


@pytest.fixture(scope="module")
def tuned(folder: Path) -> StageResult:
    return run(folder, trials=2, strategy="fine_tune")


def values(stage: StageResult) -> dict[str, Any]:
    path = Path(stage.outputs["best_hyperparameters"]) / "best_hyperparameters.txt"
    return json.loads(path.read_text())["values"]


def test_the_trainer_reads_the_head_and_the_choice_in_one(tuned: StageResult) -> None:
    history = read_history(Path(tuned.outputs["history"]) / "history.jsonl")
    assert history.header.search.subject == "fine_tuning"
    assert len(history.completed) == 2
    assert history.best is not None
    assert HeadParameters.from_values(values(tuned)) == PARAMETERS
    configured = TrainingSettings(unfreeze=0.1)
    assert history.trials[0].values == pytest.approx(chosen_values(configured))
    trained = with_choice(configured, values(tuned))
    assert chosen_values(trained) == pytest.approx(history.best.values)


def test_a_search_that_was_made_comes_from_the_cache(folder: Path, tuned: StageResult) -> None:
    assert not tuned.cached
    assert run(folder, trials=2, strategy="fine_tune").cached


@pytest.mark.slow
def test_a_folder_of_such_histories_is_learned_from(
    folder: Path, tuned: StageResult, tmp_path: Path
) -> None:
    write_history(tmp_path / "other.jsonl", fine_tuning_history(chosen=2))
    assert find_knowledge([str(tmp_path)], folder).files == (), "it is not of heads"
    knowledge = find_knowledge([str(tmp_path)], folder, subject="fine_tuning")
    warm = run(folder, trials=2, knowledge=knowledge, strategy="fine_tune")
    given = read_contribution(Path(warm.outputs["history"]) / "contribution.json")
    assert [source.name.partition(",")[0] for source in given.sources] == ["made up"]
    assert [proposal.origin for proposal in given.proposals] == ["cold", "model"]
    (left_out,) = given.left_out
    assert "2 of its 2 trials" in left_out.reason, "the first search was found, but is too short"


def test_nothing_is_searched_where_nothing_is_fine_tuned(folder: Path, tuned: StageResult) -> None:
    head_alone = run(folder, trials=2, strategy="auto", auto_fine_tune_images=10_000)
    assert list(Path(head_alone.outputs["history"]).iterdir()) == []
    assert HeadParameters.from_values(values(head_alone)) == PARAMETERS
    assert with_choice(TrainingSettings(), values(head_alone)) == TrainingSettings()
    assert run(folder, trials=2, strategy="fine_tune").cached, "it is no news to any search"
