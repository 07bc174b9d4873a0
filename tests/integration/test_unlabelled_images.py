import json
from pathlib import Path

import pytest
from labelled_examples import write_examples
from PIL import Image
from tfx.types import standard_artifacts

from components.artifact_types import Quarantine
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.refusals import RefusedSourceError
from components.unlabelled_images.executor import Executor
from components.unlabelled_images.unlabelled_folder import read_folder
from models.data.example_reader import read_records
from models.errors import BadDataError


@pytest.fixture
def folder(digits_folder: Path, tmp_path: Path) -> Path:
    """Three digits at different depths, a broken image, a deep one, a note."""
    (tmp_path / "others" / "a" / "b").mkdir(parents=True)
    digits = sorted(digits_folder.glob("*/*.png"))[:3]
    for place, digit in zip(("one.png", "a/two.png", "a/b/three.png"), digits, strict=True):
        (tmp_path / "others" / place).write_bytes(digit.read_bytes())
    (tmp_path / "others" / "broken.png").write_bytes(b"no image")
    Image.new("I;16", (8, 8), 4095).save(tmp_path / "others" / "deep.png")
    (tmp_path / "others" / "notes.txt").write_text("of no use")
    return tmp_path / "others"


def ingested(folder: Path, labelled: Path, least: int = 0) -> tuple[list[str], dict, list[dict]]:
    examples, quarantine = standard_artifacts.Examples(), Quarantine()
    examples.uri, quarantine.uri = str(labelled.parent / "out"), str(labelled.parent / "left")
    Path(quarantine.uri).mkdir()
    known = standard_artifacts.Examples()
    known.uri = str(labelled)
    settings = IngestSettings()
    Executor().Do(
        {"labelled": [known]},
        {"examples": [examples], "quarantine": [quarantine]},
        {
            "key": "data.unlabelled",
            "path": str(folder),
            "least": least,
            "settings": settings.to_json("path"),
            "seed": 0,
            "cache_dir": "",
        },
    )
    names = [each.name for each in read_records(examples.uri, "unlabelled")]
    lines = (Path(quarantine.uri) / "quarantine.jsonl").read_text().splitlines()
    numbers = json.loads((Path(quarantine.uri) / "ingest.json").read_text())
    return sorted(names), numbers, [json.loads(line) for line in lines]


def test_everything_is_used_or_accounted_for(folder, tmp_path):
    image = (folder / "one.png").read_bytes()
    splits = {"train": [("0", "x.png", image)], "validation": [], "test": []}
    write_examples(tmp_path / "labelled", splits)
    names, numbers, left_out = ingested(folder, tmp_path / "labelled")
    assert names == ["a/b/three.png", "a/two.png", "deep.png"]
    assert {each["name"]: (each["code"], each["fate"]) for each in left_out} == {
        "broken.png": ("not_an_image", "refused"),
        "notes.txt": ("sidecar", "passed_over"),
        "one.png": ("labelled_already", "passed_over"),
    }
    assert numbers == {
        "images": 3,
        "offered": 6,
        "quarantined": 1,
        "passed_over": 2,
        "unknown": 0,
    }


def test_too_little_that_is_left_is_refused_with_all_that_is_not(folder, tmp_path):
    image = (folder / "one.png").read_bytes()
    splits = {"train": [("0", "x.png", image)], "validation": [], "test": []}
    write_examples(tmp_path / "labelled", splits)
    with pytest.raises(
        RefusedSourceError, match=r"holds 3 images .*at least 4\..*not_an_image"
    ) as e:
        ingested(folder, tmp_path / "labelled", least=4)
    assert {each.name: each.code for each in e.value.left_out} == {
        "broken.png": "not_an_image",
        "notes.txt": "sidecar",
        "one.png": "labelled_already",
        **dict.fromkeys(("a/b/three.png", "a/two.png", "deep.png"), "source_refused"),
    }
    assert e.value.key == "data.unlabelled"


def test_another_image_is_noticed(folder):
    def contents() -> str:
        return read_folder(str(folder), IngestSettings(), "").fingerprint

    before = contents()
    assert contents() == before
    (folder / "one.png").write_bytes((folder / "deep.png").read_bytes())
    assert contents() != before


@pytest.mark.parametrize("place", ["nowhere", "a/two.png"])
def test_what_is_no_folder_is_refused(folder, place):
    with pytest.raises(BadDataError, match="is no folder"):
        read_folder(str(folder / place), IngestSettings(), "")


def test_the_key_that_names_the_folder_and_how_many_it_takes_are_told(folder):
    with pytest.raises(
        BadDataError, match=r"data\.target: .* holds [45] images .*Expected at least 6\."
    ):
        read_folder(str(folder), IngestSettings(), "", "data.target", least=6)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("of no use")
    with pytest.raises(BadDataError, match="holds no image that can be used"):
        read_folder(str(tmp_path), IngestSettings(), "")
