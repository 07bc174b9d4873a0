from pathlib import Path

import pytest

from models.errors import GraftError, UsageError
from models.seals import write_sums
from pipeline.config import Config
from pipeline.served import served


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "serving" / "graft" / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    write_sums(folder)
    return folder


def test_a_whole_version_is_served(version: Path, tmp_path: Path) -> None:
    assert served(Config(workspace=str(tmp_path)), False).directory == version.parent


def test_a_damaged_version_is_named_with_its_file(version: Path, tmp_path: Path) -> None:
    (version / "saved_model.pb").write_bytes(b"grapf")
    with pytest.raises(GraftError, match=r"graft/1 is damaged: saved_model\.pb"):
        served(Config(workspace=str(tmp_path)), False)


def test_nothing_pushed_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No model was pushed"):
        served(Config(workspace=str(tmp_path)), False)
