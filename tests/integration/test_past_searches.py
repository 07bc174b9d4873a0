"""Searches that learn from earlier ones through ML Metadata and folders, and what stays cached.

Two data sets, the digits 0 to 4 and 5 to 9, in one metadata store, as two users of a workspace
would run them.
"""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from embedded_digits import write_digits, write_vocabulary
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import metadata, pipeline
from tfx.types import Channel, standard_artifacts

from components.artifact_types import Embeddings, TuningHistory
from components.past_searches.knowledge import find_knowledge
from components.past_searches.past_searches_resolver import PastSearchesStrategy
from components.warm_tuner.component import WarmTuner
from models.history.collection import read_all
from models.history.contribution import Contribution, read_contribution
from models.history.shipped import starter_files
from models.search.search_settings import SearchSettings
from pipeline.local_runner import StageResult, run_pipeline

_RUN = itertools.count()


class Lab:
    """A folder with two data sets and one metadata store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, digits in (("low", range(5)), ("high", range(5, 10))):
            write_digits(root / name / "embeddings", digits)
            write_vocabulary(root / name / "graph", digits)

    def search(
        self,
        name: str,
        *,
        folders: Sequence[Path] = (),
        starter: bool = False,
        forgotten: Sequence[str] = (),
        pipeline_name: str = "graft",
        **settings: Any,
    ) -> StageResult:
        """Runs one search on a data set."""
        data = self.root / name
        embeddings = Importer(str(data / "embeddings"), Embeddings).with_id("Embeddings")
        graph = Importer(str(data / "graph"), standard_artifacts.TransformGraph).with_id("Graph")
        inputs = {
            "embeddings": embeddings.outputs["result"],
            "transform_graph": graph.outputs["result"],
        }
        quick = {"trials": 5, "epochs": 2, "hidden_units": [0], "finalists": 1, **settings}
        artifacts = self.root / "artifacts"
        parameters: dict[str, Any] = {
            "settings": SearchSettings(**quick).to_json(),
            "class_weights": "balanced",
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
        tuner = WarmTuner(
            past=past.outputs["past"],
            scratch_dir=str(self.root / "scratch"),
            **inputs,
            **parameters,
        )
        store = metadata.sqlite_metadata_connection_config(str(self.root / "metadata.sqlite"))
        stages = run_pipeline(
            pipeline.Pipeline(
                pipeline_name=pipeline_name,
                pipeline_root=str(artifacts),
                components=[embeddings, graph, past, tuner],
                enable_cache=True,
                metadata_connection_config=store,
            ),
            f"run-{next(_RUN)}",
            lambda _: None,
        )
        (searched,) = [stage for stage in stages if stage.name == "WarmTuner"]
        return searched


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="module")
def first(lab: Lab) -> StageResult:
    return lab.search("low")


@pytest.fixture(scope="module")
def second(lab: Lab, first: StageResult) -> StageResult:
    return lab.search("high")


def contribution(stage: StageResult) -> Contribution:
    return read_contribution(Path(stage.outputs["history"]) / "contribution.json")


def history(stage: StageResult) -> Path:
    return Path(stage.outputs["history"]) / "history.jsonl"


def sources(stage: StageResult) -> list[str]:
    """Names of the data of all sources."""
    return [source.name.partition(",")[0] for source in contribution(stage).sources]


def test_the_first_search_knows_nothing_and_a_related_one_starts_from_it(
    first: StageResult, second: StageResult
) -> None:
    assert sources(first) == []
    assert sources(second) == ["low"]
    assert {"portfolio", "model"} & {each.origin for each in contribution(second).proposals}


def test_a_first_search_starts_from_what_comes_with_graft(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    first = lab.search("low", starter=True)
    assert {name.partition(" ")[2] for name in sources(first)} == {"(starter)"}
    assert contribution(first).proposals[0].origin == "portfolio"
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
    assert entry.name not in [source.name for source in contribution(searched).sources]
    assert lab.search("high", forgotten=[entry.digest]).cached


def test_a_folder_is_learned_from_and_a_corrupt_file_in_it_skipped_with_its_reason(
    lab: Lab, tmp_path: Path, second: StageResult
) -> None:
    elsewhere = Lab(tmp_path / "elsewhere")
    team = tmp_path / "team"
    team.mkdir()
    # With other epochs: else it would be the same search as one that the store holds.
    theirs = history(elsewhere.search("high", epochs=3))
    shutil.copy(theirs, team / "theirs.jsonl")
    (team / "corrupt.jsonl").write_bytes(theirs.read_bytes()[:-30])

    searched = lab.search("low", folders=[team], dropout=[0.0, 0.1])
    told = contribution(searched)
    assert "high, " in " ".join(source.name for source in told.sources)
    reasons = {each.name: each.reason for each in told.left_out}
    assert "cut short" in reasons["corrupt.jsonl"]

    # Its own history, shared to the same folder, is no news; one of others is.
    shutil.copy(history(searched), team / "ours.jsonl")
    assert lab.search("low", folders=[team], dropout=[0.0, 0.1]).cached
    shutil.copy(history(elsewhere.search("low", epochs=4)), team / "news.jsonl")
    assert not lab.search("low", folders=[team], dropout=[0.0, 0.1]).cached


def test_a_history_that_has_vanished_is_skipped_with_its_reason(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    history(lab.search("low")).unlink()
    told = contribution(lab.search("high"))
    assert told.sources == ()
    assert "No such file" in told.left_out[0].reason
