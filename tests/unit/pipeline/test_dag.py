"""What the nodes of a pipeline are told of the configuration."""

import json
from pathlib import Path

from pipeline.config import Config
from pipeline.dag import pipeline_nodes
from pipeline.lookups import MetadataLookups


def told(
    node: str, folder: Path, sections: dict[str, object] | None = None, **data: object
) -> dict[str, object]:
    paths = {"workspace": str(folder), "data": {"path": str(folder / "data.csv"), **data}}
    config = Config.model_validate(paths | (sections or {}))
    nodes = {each.id: each for each in pipeline_nodes(config, MetadataLookups())}
    return dict(nodes[node].exec_properties)


def test_no_time_is_told_for_a_refit_that_further_labels_rule_out(tmp_path: Path) -> None:
    for further, refitted in (((), 1000), (("material",), 0)):
        training = told("Tuner", tmp_path, further_labels=further)["training"]
        assert json.loads(str(training))["refit_images"] == refitted


def test_a_network_is_kept_while_nothing_changes_that_would_make_another_one(
    tmp_path: Path,
) -> None:
    def recipe(**sections: object) -> tuple[object, object]:
        found = json.loads(str(told("Trainer", tmp_path, sections)["custom_config"]))
        return found["keeps_network"], found["recipe"]

    keeps, plain = recipe()
    assert keeps
    assert recipe(training={"start": "pretrained"}) == (False, plain)
    assert recipe(evaluation={"min_accuracy": 0.3}, limits={"minutes": 9}) == (True, plain)
    for other in (
        {"training": {"epochs": 9}},
        {"training": {"few_shot_images": 5}},
        {"tuning": {"trials": 3}},
        {"choice": {"price": 0.5}},
        {"model": {"image_size": 96}},
        {"data": {"path": str(tmp_path / "data.csv"), "further_labels": ["material"]}},
        {"seed": 5},
    ):
        assert recipe(**other)[1] != plain, other
