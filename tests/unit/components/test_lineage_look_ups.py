"""What is looked up in ML Metadata of the last blessed model."""

from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.baseline_resolver import BaselineStrategy
from components.champion_resolver import ChampionStrategy
from components.example_gen.kept_test import (
    KEPT_TEST,
    SPLIT_INPUTS,
    examples_to_keep,
    kept_images,
)
from components.image_register import REGISTER_FILE, ImageRegister

_Event = metadata_store_pb2.Event


class Store:
    """A metadata store with models, each trained on examples of its own."""

    def __init__(self) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = mlmd.MetadataStore(config)
        kind = metadata_store_pb2.ExecutionType(name="Trainer")
        self.trainer = self.store.put_execution_type(kind)

    def artifact(self, kind: str, uri: str = "", **properties: str | int) -> int:
        type_id = self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind))
        made = metadata_store_pb2.Artifact(type_id=type_id, uri=uri)
        made.state = metadata_store_pb2.Artifact.LIVE
        for key, value in properties.items():
            if isinstance(value, int):
                made.custom_properties[key].int_value = value
            else:
                made.custom_properties[key].string_value = value
        return int(self.store.put_artifacts([made])[0])

    def trained(self, examples: int, *, blessed: bool = True) -> int:
        model = self.artifact("Model")
        execution = metadata_store_pb2.Execution(type_id=self.trainer)
        (number,) = self.store.put_executions([execution])
        for artifact, kind, key in (
            (examples, _Event.INPUT, "examples"),
            (model, _Event.OUTPUT, "model"),
        ):
            event = _Event(artifact_id=artifact, execution_id=number, type=kind)
            event.path.steps.add(key=key)
            event.path.steps.add(index=0)
            self.store.put_events([event])
        # The Evaluator's word, and the Judge's.
        self.artifact("ModelBlessing", blessed=1, current_model_id=model)
        self.artifact(
            "ModelBlessing", blessed=int(blessed), current_model_id=model, export_digest="0f"
        )
        return model

    def examples(self, uri: str, **properties: str) -> int:
        return self.artifact("Examples", uri, **properties)


@pytest.fixture
def store() -> Store:
    return Store()


def test_without_a_blessed_model_nothing_is_kept(store: Store) -> None:
    assert examples_to_keep(store.store, "x") == ""
    store.trained(store.examples("/a"), blessed=False)
    assert examples_to_keep(store.store, "x") == ""


def test_the_newest_blessed_models_test_images_are_kept(store: Store) -> None:
    store.trained(store.examples("/old"))
    store.trained(store.examples("/new"))
    store.trained(store.examples("/bad"), blessed=False)
    assert examples_to_keep(store.store, "x") == "/new"


def test_the_run_that_made_it_finds_again_what_it_kept_itself(store: Store) -> None:
    store.trained(store.examples("/one"))
    store.trained(store.examples("/two", **{SPLIT_INPUTS: "two", KEPT_TEST: "/one"}))
    assert examples_to_keep(store.store, "two") == "/one"
    assert examples_to_keep(store.store, "three") == "/two"


def test_only_its_test_images_are_kept_and_none_of_a_damaged_register(tmp_path: Path) -> None:
    assert kept_images("") == kept_images(str(tmp_path)) == frozenset()
    rows = [("0a" * 32, "train", "a"), ("0b" * 32, "test", "a"), ("0c" * 32, "validation", "a")]
    ImageRegister.of(rows).save(tmp_path / REGISTER_FILE)
    assert kept_images(str(tmp_path)) == {"0b" * 32}


def test_a_candidate_is_compared_with_the_model_before_it_and_its_examples(store: Store) -> None:
    numbers = [store.examples("/one"), store.examples("/two")]
    models = [store.trained(each) for each in numbers]
    inputs: dict[str, list] = {
        "candidate": [_known(standard_artifacts.Model(), models[1])],
        "model": [_known(standard_artifacts.Model(), each) for each in models],
        "model_blessing": [_blessing(each) for each in models],
        "examples": [_known(standard_artifacts.Examples(), each) for each in numbers],
    }
    found = BaselineStrategy().resolve_artifacts(store.store, inputs)
    assert {key: [each.id for each in found[key]] for key in ("model", "examples")} == {
        "model": [models[0]],
        "examples": [numbers[0]],
    }
    inputs["examples"] = inputs["examples"][1:]  # the others were deleted
    found = BaselineStrategy().resolve_artifacts(store.store, inputs)
    assert ([each.id for each in found["model"]], found["examples"]) == ([models[0]], [])
    inputs["candidate"] = inputs["model"][:1]
    found = BaselineStrategy().resolve_artifacts(store.store, inputs)
    assert (found["model"], found["examples"]) == ([], [])


def test_a_training_begins_from_the_newest_model_of_earlier_examples(store: Store) -> None:
    first = store.examples("/one")
    model = store.trained(first)
    second = store.examples("/two")
    later = store.trained(second)
    third = store.examples("/three")
    bad = store.trained(third, blessed=False)
    inputs: dict[str, list] = {
        "model": [_known(standard_artifacts.Model(), each) for each in (model, later, bad)],
        "model_blessing": [_blessing(model), _blessing(later)],
        "examples": [_known(standard_artifacts.Examples(), each) for each in (first, second)],
    }
    for current, expected in ((first, []), (second, [model]), (third, [later])):
        inputs["current"] = [_known(standard_artifacts.Examples(), current)]
        found = ChampionStrategy().resolve_artifacts(store.store, inputs)
        assert [each.id for each in found["model"]] == expected
        assert len(found["examples"]) == len(expected)


def _known(artifact, number: int):
    artifact.id = number
    return artifact


def _blessing(model: int):
    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property("blessed", 1)
    blessing.set_int_custom_property("current_model_id", model)
    return blessing
