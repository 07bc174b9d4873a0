import json
from pathlib import Path

import pytest

from models.errors import UsageError
from models.normalise import Range
from models.sample_depth import SampleRange
from pipeline.config import Config
from pipeline.served import served


def sample_range(workspace: Path) -> Range:
    return served(Config(workspace=str(workspace)), config_named=True).sample_range


def push(workspace: Path, version: int, lineage: str) -> None:
    file = workspace / "serving" / "graft" / str(version) / "assets.extra" / "graft.json"
    file.parent.mkdir(parents=True)
    file.write_text(lineage)


def test_deep_images_have_the_range_of_the_newest_version(tmp_path: Path) -> None:
    push(tmp_path, 9, json.dumps({"sample_range": [0, 255]}))
    push(tmp_path, 10, json.dumps({"sample_range": [-1024, 4095]}))
    assert sample_range(tmp_path) == SampleRange(-1024, 4095)


@pytest.mark.parametrize("lineage", ['{"sample_range": null}', "{}"])
def test_without_one_it_is_what_the_format_states(tmp_path: Path, lineage: str) -> None:
    push(tmp_path, 1, lineage)
    assert sample_range(tmp_path) == "stated"


@pytest.mark.parametrize("lineage", ['{"sample_range": 7}', "[]", "{", ""])
def test_a_damaged_version_is_told(tmp_path: Path, lineage: str) -> None:
    push(tmp_path, 1, lineage)
    with pytest.raises(UsageError, match="should be a JSON object"):
        sample_range(tmp_path)
