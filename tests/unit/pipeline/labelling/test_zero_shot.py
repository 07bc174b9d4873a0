"""`graft label --zero-shot` with the real weights, on scikit-learn's two photos."""

import csv
import shutil
from pathlib import Path

import pytest
from small_wordnet import write_wordnet

from models.errors import BadDataError, UsageError
from pipeline.cli import main


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    return write_wordnet(tmp_path / "wordnet")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A palace, a flower, a file that is no image, and one that was never meant to be one."""
    import sklearn.datasets

    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    images = Path(sklearn.datasets.__file__).parent / "images"
    shutil.copy(images / "china.jpg", folder / "deep" / 'a "palace", 1.jpg')
    shutil.copy(images / "flower.jpg", folder)
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "notes.txt").write_text("no image")
    return folder


def label(*arguments: object) -> int:
    return main(["label", *map(str, arguments)])


def test_a_photo_is_sorted_by_name_where_enough_is_known(
    photos: Path, wordnet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "labels.csv"
    classes = "Temples=palace+BellCote+stupa,flowers=daisy+bee,shoes,zero"
    told = ("--classes", classes, "--wordnet", wordnet, "--least", 0.3)
    code = label("--zero-shot", photos, *told, "--output", manifest)
    assert code == BadDataError.exit_code  # of the broken file, as in `graft predict`
    output = capsys.readouterr()
    assert "1 of 2 images got a label: Temples 1. Not read: 1 file." in output.out
    assert "zero: nothing in ImageNet is like" in output.out
    assert "broken.png is no image" in output.err
    (row,) = csv.DictReader(manifest.open(newline=""))
    assert row["path"] == str(photos / "deep" / 'a "palace", 1.jpg')
    assert row["label"] == "Temples"
    assert 0.3 <= float(row["confidence"]) <= 1.0
    page = manifest.with_suffix(".html").read_text()
    assert page.count('src="data:image/jpeg') == 2
    # The dahlia is nearest to its class, but not near enough.
    assert "% flowers" in page.partition("Without a label: 1")[2]

    label("--zero-shot", photos, *told, "--output", manifest)
    assert "is there already, perhaps with corrections" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("zero,xyzzy", "None of the classes means anything that ImageNet knows"),
        ("flower", "Expected at least two classes"),
        ("flower,flower=rose", "Expected at least two classes, each once"),
        ("flower,", "is no class"),
    ],
)
def test_classes_that_tell_nothing_are_refused_before_anything_is_computed(
    classes: str,
    expected: str,
    photos: Path,
    wordnet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "labels.csv"
    told = ("--classes", classes, "--wordnet", wordnet, "--output", output)
    assert label("--zero-shot", photos, *told) == UsageError.exit_code
    assert expected in capsys.readouterr().err
    assert not output.exists()


def test_classes_may_stand_in_a_file_and_the_folder_must_be_one(
    wordnet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = tmp_path / "classes.txt"
    classes.write_text("zero\n\nxyzzy, or so\n")
    (tmp_path / "empty").mkdir()
    told = ("--classes", classes, "--wordnet", wordnet, "--output", tmp_path / "x.csv")
    assert label("--zero-shot", tmp_path / "empty", *told) == UsageError.exit_code
    assert "xyzzy, or so: WordNet has no noun" in capsys.readouterr().out
    assert label("--zero-shot", classes, *told) == UsageError.exit_code
    assert "is no folder" in capsys.readouterr().err


def test_the_classes_may_be_many(
    wordnet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    classes = ",".join(f"xyzzy {number}" for number in range(100))
    told = ("--classes", classes, "--wordnet", wordnet, "--output", tmp_path / "x.csv")
    assert label("--zero-shot", tmp_path / "empty", *told) == UsageError.exit_code
    assert "None of the classes means anything that ImageNet knows" in capsys.readouterr().err
    assert label("--zero-shot", "x" * 300, *told) == UsageError.exit_code
    assert "is no folder" in capsys.readouterr().err
