"""`graft labels --errors`, on what a run leaves."""

import csv
import json
import shlex
import shutil
from pathlib import Path

import pytest
from labelled_examples import write_examples

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source
from components.label_check.label_errors_file import (
    DoubtfulLabel,
    FoundLabelErrors,
    write_label_errors,
)
from models.errors import UsageError
from pipeline.config import Config
from pipeline.config_file import load_config, parse_assignment
from pipeline.label_errors_command import write_manifest
from pipeline.run_folder import CONFIG
from pipeline.workspace import Workspace

NAMES = ("cat/1.png", "cat/two, 2.png", "dog/3.png", "dog/4.png")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A workspace with one run, on four images of two classes."""
    for name in NAMES:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    return _workspace(tmp_path, [(name[:3], name, name.encode()) for name in NAMES])


def _workspace(tmp_path: Path, images: list[tuple[str, str, bytes]]) -> Config:
    """A workspace with one run, on images (label, name, bytes) of which the third is doubtful."""
    config = Config.model_validate(
        {"workspace": str(tmp_path / "ws"), "data": {"path": str(tmp_path / "photos")}}
    )
    workspace = Workspace(config.workspace_path)
    examples = workspace.artifacts / "ImageExampleGen" / "examples" / "1"
    write_examples(examples, {"train": images[:3], "validation": images[3:], "test": []})
    folder = workspace.runs / "20261129-010203-004"
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(f"data: {{path: {tmp_path / 'photos'}}}\n")
    doubtful = DoubtfulLabel(
        name=images[2][1],
        split="train",
        label=images[2][0],
        suggested="cat",
        suggested_probability=0.93,
        label_probability=0.01,
        is_suspect=True,
    )
    found = FoundLabelErrors(
        examples="ImageExampleGen/examples/1",
        images=4,
        unchecked=0,
        suspects=1,
        reason="",
        left_out=(),
        doubtful=(doubtful,),
    )
    write_label_errors(folder, found)
    return config


def test_the_manifest_holds_all_images_and_is_read_as_data(config, tmp_path, capsys):
    assert write_manifest(config, None) == 0
    file = tmp_path / "ws" / "labels-to-correct.csv"
    told = capsys.readouterr().out
    assert f" --data {file}\n" in told
    assert "'dog' looks like 'cat': dog/3.png" in told
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    assert Path(rows[0]["path"]).name == "3.png"
    assert (rows[0]["looks_wrong"], rows[0]["suggested"], rows[0]["suggested_probability"]) == (
        "yes", "cat", "0.930",
    )  # fmt: skip
    listing = list_source(str(file), IngestSettings())
    assert {(Path(each.path).name, each.label, each.split) for each in listing.files} == {
        ("1.png", "cat", "train"),
        ("two, 2.png", "cat", "train"),
        ("3.png", "dog", "train"),
        ("4.png", "dog", "validation"),
    }


def test_the_next_run_keeps_all_settings_but_those_of_how_the_source_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "my photos"
    photos.mkdir()
    for name in NAMES:
        (photos / Path(name).name).write_bytes(name.encode())
    images = [(name[:3], Path(name).name, name.encode()) for name in NAMES]
    config = _workspace(tmp_path, images)
    configuration = Workspace(config.workspace_path).run_folders()[-1] / CONFIG
    settings = {
        "workspace": str(tmp_path / "ws"),
        "data": {
            "path": str(photos),
            "class_pattern": "^([a-z]+)",
            "ignore": ["*"],
            "columns": {"path": "id"},
            "group": "site",
            "test_fraction": 0.3,
        },
        "training": {"epochs": 7},
    }
    configuration.write_text(json.dumps(settings))
    file = tmp_path / "to correct.csv"
    assert write_manifest(config, file) == 0
    line = capsys.readouterr().out.partition("of that run: ")[2]
    graft, run, *options = shlex.split(line)
    given = dict(parse_assignment(text) for text in options[5::2])
    assert [graft, run, *options[:4]] == [
        *("graft", "run", "--config", str(configuration), "--data", str(file)),
    ]
    assert set(options[4::2]) == {"--set"}
    again = load_config(configuration, {"data.path": str(file), **given})
    assert again.data == IngestSettings(path=str(file), test_fraction=0.3)
    assert (again.training.epochs, again.workspace) == (7, str(tmp_path / "ws"))
    assert len(list_source(str(file), again.data).files) == len(NAMES)


def test_corrections_are_never_written_over(config, tmp_path):
    write_manifest(config, tmp_path / "mine.csv")
    with pytest.raises(UsageError, match="is there already"):
        write_manifest(config, tmp_path / "mine.csv")


def test_what_is_missing_is_said(config, tmp_path):
    with pytest.raises(UsageError, match="has weighed labels yet"):
        write_manifest(config.model_copy(update={"workspace": str(tmp_path / "other")}), None)
    (tmp_path / "photos").rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="cannot be found"):
        write_manifest(config, None)
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match="is a file of its own"):
        write_manifest(config, None)
    examples = Workspace(config.workspace_path).artifacts / "ImageExampleGen"
    examples.rename(tmp_path / "pruned")
    with pytest.raises(UsageError, match="no longer in the workspace"):
        write_manifest(config, None)


def test_names_that_ingest_wrote_otherwise_are_found_or_told(tmp_path, capsys):
    files = {
        "line\nbreak/1.png": "line\\nbreak/1.png",
        "line\nbreak/a\tb.png": "line\\nbreak/a\\tb.png",
        "windows/2.png": "windows\\2.png",
        "windows/3.png": "windows/3.png",
        "e\u0301/4.png": "\u00e9/4.png",
    }
    for file in files:
        (tmp_path / "photos" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / file).write_bytes(file.encode())
    (tmp_path / "photos" / "\udcff.png").write_bytes(b"no text")
    labels = ("line\\nbreak", "line\\nbreak", "windows", "windows", "\u00e9")
    images = [
        (label, name, name.encode()) for label, name in zip(labels, files.values(), strict=True)
    ]
    config = _workspace(tmp_path, [*images, ("windows", "\\xff.png", b"no text")])
    assert write_manifest(config, None) == 0
    told = capsys.readouterr().out
    assert "not in it: 1 ('\\\\xff.png'), as no file is there" in told
    listing = list_source(str(tmp_path / "ws" / "labels-to-correct.csv"), IngestSettings())
    assert {(each.path, each.label) for each in listing.files} == {
        (str(tmp_path / "photos" / file), label) for file, label in zip(files, labels, strict=True)
    }
    assert not listing.left_out


def test_images_by_replay_are_not_taken_for_lost(config, capsys):
    folder = Workspace(config.workspace_path)
    images = [("dog", name, name.encode()) for name in ("dog/3.png", "replayed/dog/2.png")]
    examples = folder.artifacts / "ImageExampleGen" / "examples" / "1"
    shutil.rmtree(examples)
    write_examples(examples, {"train": images, "validation": [], "test": []})
    configuration = folder.run_folders()[-1] / CONFIG
    text = configuration.read_text()
    configuration.write_text(text.replace("{path", "{replay: 9, path"))
    assert write_manifest(config, None) == 0
    told = capsys.readouterr().out
    assert "not in it: 1 ('replayed/dog/2.png'), as it has them by data.replay" in told
    assert "no file is there" not in told


def test_a_class_that_no_manifest_can_say_is_told(tmp_path, capsys):
    names = ("NULL/1.png", "cat/2.png", "dog/3.png", "cat+dog/4.png", "cat+dog/5.png")
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    images = [(name.partition("/")[0], name, name.encode()) for name in names]
    assert write_manifest(_workspace(tmp_path, images), None) == 0
    told = capsys.readouterr().out
    assert "the class 'NULL'" in told
    assert "the class 'cat+dog'" in told
    assert "refuse its 2 images" in told
    assert "the class 'cat'," not in told
    listing = list_source(str(tmp_path / "ws" / "labels-to-correct.csv"), IngestSettings())
    assert len(listing.left_out) == 3
