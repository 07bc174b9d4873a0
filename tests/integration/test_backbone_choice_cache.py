"""The pipeline up to the embeddings: what a choice of the backbone runs anew, and what it keeps."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.embedding import read_info
from pipeline import dag
from pipeline.config_file import load_config
from pipeline.local_runner import StageResult, run_pipeline

Stages = dict[str, StageResult]
Run = Callable[..., Stages]

SIZES = [{"image_size": 32}, {"image_size": 96}]
_RUN = itertools.count()


def run_to_embeddings(overrides: dict[str, Any]) -> Stages:
    stages: Stages = {}
    pipeline = dag.build_pipeline(load_config(None, overrides))
    for result in run_pipeline(pipeline, f"run-{next(_RUN)}", lambda _: None):
        stages[result.name] = result
        if result.name == "FeatureExtractor":
            break
    return stages


@pytest.fixture(scope="module")
def run(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the pipeline with values of the configuration, always in the same workspace."""
    workspace = tmp_path_factory.mktemp("choice")
    (workspace / "schema").mkdir()

    def run(**values: Any) -> Stages:
        own: dict[str, Any] = {"data.path": str(digits_folder), "workspace": str(workspace)}
        own |= {"choice.images": 150, "model.features": "last"}
        return run_to_embeddings(own | {key.replace("__", "."): v for key, v in values.items()})

    return run


@pytest.fixture(scope="module")
def first(run: Run) -> Stages:
    return run(model__candidates=SIZES, choice__price=0.0)


def rerun(stages: Stages) -> set[str]:
    return {name for name, stage in stages.items() if not stage.cached} - set(dag.RESOLVERS)


def image_size(stages: Stages) -> int:
    return read_info(stages["FeatureExtractor"].outputs["embeddings"]).image_size


def test_the_chosen_backbone_embeds_all_images(first: Stages) -> None:
    assert dag.CHOOSER in rerun(first)
    assert image_size(first) == 96
    info = read_info(first["FeatureExtractor"].outputs["embeddings"])
    assert (info.computed, info.reused) == (50, 150)


def test_a_second_run_is_cached(first: Stages, run: Run) -> None:
    assert rerun(run(model__candidates=SIZES, choice__price=0.0)) == set()


def test_another_way_to_the_same_backbone_keeps_what_follows(first: Stages, run: Run) -> None:
    changed = run(model__candidates=SIZES[::-1], choice__price=0.001)
    assert rerun(changed) == {dag.CHOOSER}
    assert changed["FeatureExtractor"].outputs == first["FeatureExtractor"].outputs


def test_another_backbone_embeds_anew_and_the_way_back_is_cached(first: Stages, run: Run) -> None:
    other = run(model__candidates=SIZES, choice__price=1.0)
    assert rerun(other) == {dag.CHOOSER, "FeatureExtractor"}
    assert image_size(other) == 32
    assert rerun(run(model__candidates=SIZES, choice__price=0.0)) == set()


def test_without_candidates_there_is_no_choice(first: Stages, run: Run) -> None:
    plain = run(model__image_size=32)
    assert not {dag.CHOOSER, dag.CHOSEN_BACKBONE} & set(plain)
    assert rerun(plain) == {"FeatureExtractor"}
    assert image_size(plain) == 32
