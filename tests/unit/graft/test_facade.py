import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

import graft
from models.history.shipped import starter_files
from models.history.tuning_history import read_history

ROOT = Path(graft.__file__).parents[1]


def run_python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program in a folder, which comes first on the path, and before the checkout."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_it_imports_nothing_that_takes_time(tmp_path: Path) -> None:
    slow = "{'tensorflow', 'keras', 'tfx', 'numpy', 'pydantic'}"
    result = run_python(f"import sys, graft; print({slow} & set(sys.modules))", tmp_path)
    assert result.stdout == "set()\n", result.stderr


def test_it_has_all_that_it_lists_and_nothing_misspelt() -> None:
    assert [name for name in graft.__all__ if getattr(graft, name) is None] == []
    with pytest.raises(AttributeError, match="WarmOracle"):
        getattr(graft, "WarmOracle")  # noqa: B009  (a name that mypy would refuse)


def test_its_example_runs() -> None:
    result = doctest.testmod(graft)
    assert result.attempted > 0
    assert result.failed == 0


def test_it_reads_a_history() -> None:
    file = starter_files()[0]
    assert graft.load_history(str(file)) == read_history(file)


def test_settings_are_checked_as_those_of_the_command_are(tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError, match=r"Did you mean tuning\.trials"):
        graft.run(tmp_path, workspace=tmp_path / "workspace", settings={"tuning.trails": 3})
    assert not (tmp_path / "workspace").exists()


def test_nothing_is_served_from_an_empty_workspace(tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError, match="No model was pushed"):
        graft.serve(tmp_path)


def test_a_checkout_says_where_another_package_takes_the_name_of_a_room(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    result = run_python("import graft", tmp_path)
    assert result.returncode == 1
    assert f"`models` should be {ROOT / 'models'}" in result.stderr
    assert f"Python finds {tmp_path / 'models'}" in result.stderr
    assert f"pip install {ROOT}" in result.stderr


def test_a_folder_that_is_no_package_takes_no_name(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resnet.keras").touch()
    result = run_python("import graft", tmp_path)
    assert result.returncode == 0, result.stderr
