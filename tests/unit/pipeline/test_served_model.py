import json
from pathlib import Path

import pytest

from models.data.normalisation import Range
from models.data.sample_depth import SampleRange
from models.errors import GraftError, UsageError
from models.storage.seals import write_sums
from pipeline.config import Config
from pipeline.served_model import served


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


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "serving" / "graft" / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    write_sums(folder)
    return folder


def test_a_whole_version_is_served(version: Path, tmp_path: Path) -> None:
    model = served(Config(workspace=str(tmp_path)), False)
    assert (model.directory, model.newest) == (version.parent, version)


def test_a_damaged_version_is_named_with_its_file(version: Path, tmp_path: Path) -> None:
    (version / "saved_model.pb").write_bytes(b"grapf")
    with pytest.raises(GraftError, match=r"graft/1 is damaged: saved_model\.pb"):
        served(Config(workspace=str(tmp_path)), False)


def test_nothing_pushed_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No model was pushed"):
        served(Config(workspace=str(tmp_path)), False)
