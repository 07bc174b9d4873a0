"""Where the paths of a configuration lead."""

from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.config_file import load_config

_PATHS = {
    "data.path": "photos",
    "model.weights": "own.keras",
    "validation.schema_path": "schema.pbtxt",
    "serving.directory": "models",
    "tuning.serve_secret": "secret",
    "notifications.template": "message.j2",
}


def _at(config: Config, key: str) -> Path:
    section, _, name = key.partition(".")
    return Path(getattr(getattr(config, section), name))


@pytest.mark.parametrize("key", _PATHS)
def test_a_path_in_a_file_is_relative_to_the_file_and_may_begin_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    section, _, name = key.partition(".")
    file = tmp_path / "conf" / "graft.yaml"
    file.parent.mkdir()
    file.write_text(f"{section}: {{{name}: {_PATHS[key]}}}")
    assert _at(load_config(file, {}), key) == file.parent / _PATHS[key]
    assert _at(load_config(file, {key: "other"}), key) == Path.cwd() / "other"
    monkeypatch.setenv("HOME", "/home/somebody")
    assert _at(load_config(None, {key: "~/x"}), key) == Path("/home/somebody/x")


def test_weights_that_are_no_file_stay_a_word() -> None:
    candidates = [{"weights": "none"}, {"weights": "own.keras"}, {}]
    model = load_config(None, {"model.candidates": candidates}).model
    assert model.weights == "imagenet"
    assert model.candidates is not None
    own = str(Path.cwd() / "own.keras")
    assert [each.weights for each in model.candidates] == ["none", own, None]
