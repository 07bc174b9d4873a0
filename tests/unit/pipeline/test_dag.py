"""What the nodes of a pipeline are told of the configuration."""

import json
from pathlib import Path

from pipeline.config import Config
from pipeline.dag import pipeline_nodes
from pipeline.lookups import MetadataLookups


def told(node: str, folder: Path, **data: object) -> dict[str, object]:
    config = Config.model_validate(
        {"workspace": str(folder), "data": {"path": str(folder / "data.csv"), **data}}
    )
    nodes = {each.id: each for each in pipeline_nodes(config, MetadataLookups())}
    return dict(nodes[node].exec_properties)


def test_no_time_is_told_for_a_refit_that_further_labels_rule_out(tmp_path: Path) -> None:
    for further, refitted in (((), 1000), (("material",), 0)):
        training = told("Tuner", tmp_path, further_labels=further)["training"]
        assert json.loads(str(training))["refit_images"] == refitted
