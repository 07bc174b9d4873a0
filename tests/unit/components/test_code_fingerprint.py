from pathlib import Path

import pytest

from components import code_fingerprint as module
from components.code_fingerprint import code_fingerprint


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("models", "components"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "models" / "deep.py").write_text("X = 1\n")
    (tmp_path / "models" / "shallow.py").write_text("from models import deep\n")
    (tmp_path / "models" / "other.py").write_text("Y = 1\n")
    (tmp_path / "components" / "own.py").write_text("from models.shallow import deep\n")
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    return tmp_path


def _fresh(name: str) -> str:
    code_fingerprint.cache_clear()
    module._imports.cache_clear()
    return code_fingerprint(name)


def test_follows_imports_and_nothing_else(tree: Path) -> None:
    before = _fresh("components.own")
    (tree / "models" / "other.py").write_text("Y = 2\n")
    assert _fresh("components.own") == before
    (tree / "models" / "deep.py").write_text("X = 2\n")
    assert _fresh("components.own") != before


def test_a_package_stands_for_its_modules(tree: Path) -> None:
    before = _fresh("models")
    (tree / "models" / "other.py").write_text("Y = 2\n")
    assert _fresh("models") != before


def test_an_unknown_module_is_an_error(tree: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"models\.absent"):
        _fresh("models.absent")


@pytest.mark.parametrize("library", ["tensorflow", "keras", "keras-tuner", "numpy", "pillow"])
def test_changes_with_the_version_of_a_library_that_decides_results(
    tree: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    before = _fresh("components.own")
    installed = tree / "installed" / f"{library.replace('-', '_')}-99.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.0\n")
    monkeypatch.syspath_prepend(installed.parent)
    assert _fresh("components.own") != before
