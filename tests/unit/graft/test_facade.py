from pathlib import Path

import pytest

import graft
from models.history.shipped import starter_files
from models.history.tuning_history import read_history


def test_it_has_all_that_it_lists_and_nothing_misspelt() -> None:
    assert [name for name in graft.__all__ if getattr(graft, name) is None] == []
    with pytest.raises(AttributeError, match="WarmOracle"):
        getattr(graft, "WarmOracle")  # noqa: B009  (a name that mypy would refuse)


def test_it_reads_a_history() -> None:
    file = starter_files()[0]
    assert graft.load_history(str(file)) == read_history(file)


def test_settings_are_checked_as_those_of_the_command_are(tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError, match=r"Did you mean tuning\.trials"):
        graft.run(tmp_path, workspace=tmp_path / "workspace", settings={"tuning.trails": 3})
    assert not (tmp_path / "workspace").exists()


def test_settings_may_hold_paths_as_python_has_them(tmp_path: Path) -> None:
    chain = {"model.chain": [tmp_path / "none"], "data": {"target": tmp_path / "nowhere"}}
    with pytest.raises(graft.GraftError, match=r"data\.target.*nowhere") as caught:
        graft.run(tmp_path, workspace=tmp_path / "workspace", settings=chain)
    assert "model.chain" in str(caught.value)


def test_nothing_is_served_from_an_empty_workspace(tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError, match="No model was pushed"):
        graft.serve(tmp_path)
