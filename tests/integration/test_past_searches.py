"""Searches that learn from earlier ones through ML Metadata and folders, and what stays cached.

Two data sets, the digits 0 to 4 and 5 to 9, in one metadata store, as two users of a workspace
would run them. Only frozen backbones are tried, which takes seconds.
"""

import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import tensorflow as tf
from search_digits import only_small_backbones
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import metadata, pipeline
from tfx.types import Channel, standard_artifacts
from training_digits import digit_paths, write_split

from components.artifact_types import TuningHistory
from components.past_searches.knowledge import find_knowledge
from components.past_searches.past_searches_resolver import PastSearchesStrategy
from components.past_searches.request import NOT_ASKED
from components.tuner.component import Tuner
from models.backbone_choice.backbone_choice import read_choice
from models.backbone_choice.model_settings import ChoiceSettings, ModelSettings
from models.data import example_schema
from models.history.collection import read_all
from models.history.search_space import Choice, SearchSpace
from models.history.shipped import starter_files
from models.history.tuning_history import TuningHistory as History, read_history, write_history
from models.search.images_beside import ImagesBeside, write_beside
from models.search.joint_search import JointSearch
from models.search.search_record import SearchRecord, read_record
from models.search.search_settings import SearchSettings
from models.training.training_settings import TrainingSettings
from pipeline.local_runner import StageResult, run_pipeline

_RUN = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def _small_backbones() -> Iterator[None]:
    with only_small_backbones():
        yield


class Lab:
    """A folder with two data sets and one metadata store."""

    def __init__(self, root: Path, digits: Path) -> None:
        self.root = root
        for name, labels in (("low", "01234"), ("high", "56789")):
            for split, paths in digit_paths(digits).items():
                own = [path for path in paths if path.parent.name in labels]
                write_split(root / name / "examples", split, own)
            assets = root / name / "graph" / "transform_fn" / "assets"
            assets.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(assets / "labels.tfrecord.gz"), "GZIP") as writer:
                for label in labels:
                    writer.write(label.encode())

    def search(
        self,
        name: str,
        *,
        folders: Sequence[Path] = (),
        starter: bool = False,
        forgotten: Sequence[str] = (),
        pipeline_name: str = "graft",
        epochs: int = 2,
        strategy: Literal["feature_extraction", "fine_tune"] = "feature_extraction",
        **settings: Any,
    ) -> StageResult:
        """Runs one search on a data set."""
        data = self.root / name
        splits = {"split_names": json.dumps(list(example_schema.SPLITS))}
        examples = Importer(
            str(data / "examples"), standard_artifacts.Examples, properties=splits
        ).with_id("Examples")
        graph = Importer(str(data / "graph"), standard_artifacts.TransformGraph).with_id("Graph")
        inputs = {
            "examples": examples.outputs["result"],
            "transform_graph": graph.outputs["result"],
        }
        artifacts = self.root / "artifacts"
        model = {"candidates": [{"image_size": 64}, {"image_size": 32}]}
        training = TrainingSettings(strategy=strategy, epochs=epochs)
        parameters: dict[str, Any] = {
            "model": ModelSettings.model_validate(model).to_json(),
            "choice": ChoiceSettings().to_json(),
            "training": training.to_json(),
            "settings": SearchSettings(**{"budget": 600.0, "trials": 5, **settings}).to_json(),
            "seed": 0,
            "name": name,
            "knowledge": find_knowledge(
                [str(each) for each in folders], artifacts, starter=starter
            ).to_json(),
            "code": "1",
        }
        past = Resolver(
            strategy_class=PastSearchesStrategy,
            config={"parameters": parameters, "forgotten": list(forgotten)},
            past=Channel(type=TuningHistory),
            **inputs,
        ).with_id("Past")
        places = {key: str(self.root / key) for key in NOT_ASKED}
        tuner = Tuner(past=past.outputs["past"], **inputs, **parameters, **places)
        store = metadata.sqlite_metadata_connection_config(str(self.root / "metadata.sqlite"))
        stages = run_pipeline(
            pipeline.Pipeline(
                pipeline_name=pipeline_name,
                pipeline_root=str(artifacts),
                components=[examples, graph, past, tuner],
                enable_cache=True,
                metadata_connection_config=store,
            ),
            f"run-{next(_RUN)}",
            lambda _: None,
        )
        (searched,) = [stage for stage in stages if stage.name == "Tuner"]
        return searched


@pytest.fixture(scope="module")
def lab(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("past"), digits_folder)


@pytest.fixture(scope="module")
def first(lab: Lab) -> StageResult:
    return lab.search("low")


@pytest.fixture(scope="module")
def second(lab: Lab, first: StageResult) -> StageResult:
    return lab.search("high")


def record(stage: StageResult) -> SearchRecord:
    return read_record(Path(stage.outputs["history"]))


def history(stage: StageResult) -> Path:
    return Path(stage.outputs["history"]) / "history.jsonl"


def best_values(stage: StageResult) -> dict[str, Any]:
    """What the trainer gets to read."""
    best = Path(stage.outputs["best_hyperparameters"]) / "best_hyperparameters.txt"
    values: dict[str, Any] = json.loads(best.read_text())["values"]
    return values


def sources(stage: StageResult) -> list[str]:
    """Names of the data of all sources."""
    return [name.partition(",")[0] for name in record(stage).past]


def test_what_a_search_leaves(first: StageResult) -> None:
    told = read_history(history(first))
    assert {each.values["model.image_size"] for each in told.completed} == {32, 64}
    assert best_values(first) == dict(record(first).chosen)
    choice = read_choice(Path(first.outputs["chosen"]))
    assert choice.candidate.image_size == best_values(first)["model.image_size"]
    assert list(Path(first.outputs["state"]).iterdir()) == []


def test_the_first_search_knows_nothing_and_a_related_one_starts_from_it(
    first: StageResult, second: StageResult
) -> None:
    assert sources(first) == []
    assert sources(second) == ["low"]


def test_without_a_budget_the_first_candidate_is_trained_as_configured(
    digits_folder: Path, tmp_path: Path
) -> None:
    stage = Lab(tmp_path, digits_folder).search("low", budget=0.0)
    assert best_values(stage) == {}
    assert read_choice(Path(stage.outputs["chosen"])).candidate.image_size == 64
    assert record(stage).budget == 0.0
    assert not history(stage).exists()


def test_the_training_is_told_how_many_epochs_fit_into_the_time(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JointSearch, "expected_seconds", 0.0)
    stage = Lab(tmp_path, digits_folder).search("low", strategy="fine_tune", epochs=30, trials=1)
    assert best_values(stage) == {**record(stage).chosen, "training.epochs": 12}


def test_a_first_search_starts_from_what_comes_with_graft(
    digits_folder: Path, tmp_path: Path
) -> None:
    lab = Lab(tmp_path, digits_folder)
    first = lab.search("low", starter=True)
    assert {name.partition(" ")[2] for name in sources(first)} == {"(starter)"}
    assert lab.search("low", starter=True).cached
    assert sources(lab.search("low", starter=False)) == ["low"]
    second = lab.search("high", starter=True)
    assert sources(second)[0] == "low"
    assert len(sources(second)) == len(starter_files()) + 1


def test_a_repeated_search_is_cached_although_others_were_made_since(
    lab: Lab, first: StageResult, second: StageResult
) -> None:
    for _ in range(2):
        for name, made in (("low", first), ("high", second)):
            again = lab.search(name)
            assert again.cached
            assert again.outputs == made.outputs


def test_what_else_is_learned_from_is_no_reason_to_search_anew(
    lab: Lab, first: StageResult
) -> None:
    beside = lab.root / "beside"
    write_beside(beside, ImagesBeside(unlabelled=10_000, target=10_000))
    assert lab.search("low").cached
    beside.unlink()


def test_a_changed_search_learns_from_all_its_own_among_them_and_is_cached_then(
    lab: Lab, second: StageResult
) -> None:
    changed = lab.search("low", trials=6)
    assert not changed.cached
    assert {"low", "high"} <= set(sources(changed))
    assert lab.search("low", trials=6).cached


def test_another_pipeline_learns_too(lab: Lab, second: StageResult) -> None:
    other = lab.search("low", pipeline_name="other", trials=7)
    assert {"low", "high"} <= set(sources(other))


def test_a_forgotten_history_is_no_source_of_new_searches(lab: Lab, second: StageResult) -> None:
    (entry,), _ = read_all([("", history(second))])
    searched = lab.search("low", forgotten=[entry.digest], trials=8)
    assert entry.name not in record(searched).past
    assert lab.search("high", forgotten=[entry.digest]).cached


def test_a_folder_is_learned_from_and_a_corrupt_file_in_it_skipped_with_its_reason(
    lab: Lab, digits_folder: Path, tmp_path: Path, second: StageResult
) -> None:
    elsewhere = Lab(tmp_path / "elsewhere", digits_folder)
    team = tmp_path / "team"
    team.mkdir()
    # With other epochs: else it would be the same search as one that the store holds.
    theirs = history(elsewhere.search("high", epochs=3))
    shutil.copy(theirs, team / "theirs.jsonl")
    (team / "corrupt.jsonl").write_bytes(theirs.read_bytes()[:-30])

    searched = lab.search("low", folders=[team], trials=9)
    told = record(searched)
    assert "high, " in " ".join(told.past)
    reasons = {each.name: each.reason for each in told.left_out}
    assert "cut short" in reasons["corrupt.jsonl"]

    # Its own history, shared to the same folder, is no news; one of others is.
    shutil.copy(history(searched), team / "ours.jsonl")
    assert lab.search("low", folders=[team], trials=9).cached
    shutil.copy(history(elsewhere.search("low", epochs=4)), team / "news.jsonl")
    assert not lab.search("low", folders=[team], trials=9).cached


def test_a_task_with_such_images_is_named_where_a_backbone_was_fine_tuned_on_it(
    lab: Lab, tmp_path: Path, first: StageResult, second: StageResult
) -> None:
    assert record(second).related == ()
    theirs = read_history(history(first))
    trials = [
        each.model_copy(update={"values": {**each.values, "training.unfreeze": 0.5}})
        for each in theirs.trials
    ]
    space = SearchSpace(
        parameters=tuple(
            Choice(name=each.name, values=(0.0, 0.5)) if each.name == "training.unfreeze" else each
            for each in theirs.header.space.parameters
        )
    )
    header = theirs.header.model_copy(update={"name": "their digits", "space": space})
    write_history(tmp_path / "theirs.jsonl", History(header, tuple(trials)))
    (found,) = record(lab.search("high", folders=[tmp_path], trials=7)).related
    assert found.name.startswith("their digits, ")
    assert 0.0 < found.apart < 0.3


def test_a_history_that_has_vanished_is_skipped_with_its_reason(
    digits_folder: Path, tmp_path: Path
) -> None:
    lab = Lab(tmp_path, digits_folder)
    history(lab.search("low")).unlink()
    told = record(lab.search("high"))
    assert told.past == ()
    assert "No such file" in told.left_out[0].reason
