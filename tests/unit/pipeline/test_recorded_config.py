"""What a run recorded is read by later versions of Graft, and by earlier ones."""

import json
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.config import Config
from pipeline.config_file import as_yaml, load_config, load_recorded_config
from pipeline.run_folder import CONFIG, SUMMARY
from pipeline.served_model import served

_OTHER = """
serving: {model_name: digits, colour: blue}
tuning: {finalists: 3, trials: 7, algorithm: hyperband}
model: {candidates: [{image_size: 0}, {backbone: EfficientNetLite0}]}
notes: {by: somebody}
"""


def recorded(folder: Path, text: str) -> Path:
    file = folder / CONFIG
    file.write_text(text)
    return file


def test_the_configuration_of_this_version_is_read_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_config(None, {"workspace": str(tmp_path), "tuning.trials": 3})
    assert load_recorded_config(recorded(tmp_path, as_yaml(config)), {}) == config
    assert capsys.readouterr().err == ""


def test_what_only_another_version_knows_is_passed_over_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path, _OTHER)
    with pytest.raises(UsageError, match=r"tuning\.finalists: unknown key"):
        load_config(file, {})
    config = load_recorded_config(file, {"workspace": str(tmp_path)})
    assert (config.serving.model_name, config.tuning.trials) == ("digits", 7)
    assert config.tuning.algorithm == Config().tuning.algorithm
    assert config.model.candidates == Config().model.candidates
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(file) in said
    assert "model.candidates, tuning.algorithm, tuning.finalists and 2 more" in said


@pytest.mark.parametrize("text", ["- a\n- b\n", "serving: {model_name: [\n"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="configuration file"):
        load_recorded_config(recorded(tmp_path, text), {})


def test_a_model_that_another_version_pushed_is_served(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "20261128-000000-000"
    run.mkdir(parents=True)
    recorded(run, _OTHER)
    (run / SUMMARY).write_text(json.dumps({"status": "pushed"}))
    version = tmp_path / "serving" / "digits" / "1"
    version.mkdir(parents=True)
    assert served(Config(workspace=str(tmp_path)), config_named=False).newest == version
