"""How folders are read: what is understood, and what is asked."""

import re
import shlex
from pathlib import Path

import pytest
from listed import codes, entries, fates, put

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source
from components.example_gen.sources.split_names import plain_split, split_name
from models.errors import BadDataError

PLAIN = IngestSettings()
CATS_AND_DOGS = ("cats/1.jpg", "cats/2.jpg", "dogs/1.jpg", "dogs/2.jpg")


def below(*folders: str) -> list[str]:
    """Two classes in each folder."""
    return [f"{folder}/{name}" for folder in folders for name in CATS_AND_DOGS]


def splits(root: Path, settings: IngestSettings = PLAIN) -> dict[str, set[str | None]]:
    """Each class with its splits."""
    found: dict[str, set[str | None]] = {}
    for file in list_source(str(root), settings).files:
        found.setdefault(file.label, set()).add(file.split)
    return found


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("training", "testing"),
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("TrainingSet", "TestSet"),
        ("TRAIN", "TEST"),
        ("Train_Data", "Test_Data"),
        ("train data", "test data"),
        ("trainset", "testset"),
        ("train2017", "test2017"),
        ("01_train", "02_test"),
        ("TRAIN ", "Testing Set (1)"),
        ("seg_train", "seg_test"),
        ("images_train", "images-test"),
        ("x-train", "y-test"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train/train", "test/test"),
        ("images/train", "images/test"),
        ("dataset/train", "dataset/test"),
        ("archive/data/Training", "archive/data/Testing"),
        ("train/images", "test/images"),
        ("a/b/c/train", "a/b/c/test"),
        ("fruits-360_train", "fruits-360_test"),
        ("train", "some_test"),
    ],
)
def test_split_folders_are_understood(tmp_path, train, test):
    put(tmp_path, *below(train, test), "README.md")
    assert splits(tmp_path) == {"cats": {"train", "test"}, "dogs": {"train", "test"}}


@pytest.mark.parametrize("validation", ["val", "VALID", "validation_set", "Validate", "dev"])
def test_validation_too(tmp_path, validation):
    put(tmp_path, *below("train", validation))
    both = {"train", "validation"}
    assert splits(tmp_path) == {"cats": both, "dogs": both}


def test_words_decide_and_not_letters():
    for name in ("trainer", "contest", "latest", "value", "detest", "restraint", "devil", "été"):
        assert split_name(name) is None, name
    assert split_name("train_test_split") is None
    assert plain_split("test tubes") is None
    assert plain_split("Training_Set-01") == "train"


@pytest.mark.parametrize(
    "classes",
    [
        ("trainer", "sandal"),
        ("contest", "latest"),
        ("test tubes", "beakers"),
        ("test tubes", "train stations"),
        ("train", "bus"),
        ("tests", "others"),
        ("mask", "no mask"),
        ("0", "1"),
    ],
)
def test_a_class_may_sound_like_a_split(tmp_path, classes):
    put(tmp_path, *(f"{label}/{number}.jpg" for label in classes for number in range(3)))
    assert splits(tmp_path) == {label: {None} for label in classes}


def test_a_folder_around_everything_is_entered(tmp_path):
    put(tmp_path, *below("flowers/photos"), "flowers/LICENSE.txt", "flowers/labels/1.xml")
    listing = list_source(str(tmp_path), PLAIN)
    assert {(file.label, file.split) for file in listing.files} == {("cats", None), ("dogs", None)}
    assert listing.layout == "a folder per class, in flowers/photos/"
    assert set(fates(listing).values()) == {"passed_over"}


def test_split_folders_below_the_classes(tmp_path):
    put(tmp_path, "cats/train/1.jpg", "cats/test/2.jpg", "dogs/train/3.jpg", "dogs/dogs_test/4.jpg")
    put(tmp_path, "cats/about.txt", "cows/about.txt")
    listing = list_source(str(tmp_path), PLAIN)
    assert entries(listing) == {
        ("cats/train/1.jpg", "cats", "train"),
        ("cats/test/2.jpg", "cats", "test"),
        ("dogs/train/3.jpg", "dogs", "train"),
        ("dogs/dogs_test/4.jpg", "dogs", "test"),
    }
    assert listing.layout == "a folder per class, with a folder for train and test in each"
    assert codes(listing) == {
        "cats/about.txt": "sidecar",
        "cows/about.txt": "sidecar",
        "cows/": "empty_class",
    }


def test_beside_splits_all_else_is_passed_over(tmp_path):
    put(tmp_path, "Train/cat/1.jpg", "val/cat/2.jpg", "testing/cat/3.jpg", "extra/cat/4.jpg")
    put(tmp_path, "notes/readme.txt", "train.txt", "Train/labels.txt", "Train/loose.jpg")
    listing = list_source(str(tmp_path), PLAIN)
    assert entries(listing) == {
        ("Train/cat/1.jpg", "cat", "train"),
        ("val/cat/2.jpg", "cat", "validation"),
        ("testing/cat/3.jpg", "cat", "test"),
    }
    assert codes(listing) == {
        "extra/cat/4.jpg": "not_a_split",
        "notes/readme.txt": "sidecar",
        "train.txt": "sidecar",
        "Train/labels.txt": "sidecar",
        "Train/loose.jpg": "no_class",
    }
    assert [name for name, fate in fates(listing).items() if fate == "refused"] == [
        "Train/loose.jpg"
    ]
    assert listing.layout == (
        "Train/ is the train split, testing/ is the test split, val/ is the validation split,"
        " extra/ is no split and was passed over"
    )


@pytest.mark.parametrize("test", ["test", "test1", "test/images"])
def test_a_test_folder_without_labels_is_passed_over(tmp_path, test):
    put(tmp_path, *below("train"), f"{test}/1.jpg", f"{test}/2.jpg", "sample.csv")
    listing = list_source(str(tmp_path), PLAIN)
    assert {file.split for file in listing.files} == {"train"}
    assert codes(listing) == {
        f"{test}/1.jpg": "no_class",
        f"{test}/2.jpg": "no_class",
        "sample.csv": "sidecar",
    }
    assert set(fates(listing).values()) == {"passed_over"}
    assert "has no class folders and was passed over" in listing.layout


def test_a_split_may_lack_classes(tmp_path):
    put(
        tmp_path, *below("train"), "test/cats/1.jpg", "val/dogs/puppies/1.jpg", "val/dogs/old/1.jpg"
    )
    assert splits(tmp_path) == {"cats": {"train", "test"}, "dogs": {"train", "validation"}}


def test_folders_below_a_class_are_of_the_class_where_they_differ(tmp_path):
    put(tmp_path, "animals/cats/1.jpg", "animals/dogs/2.jpg", "vehicles/cars/3.jpg")
    put(tmp_path, "vehicles/vans/4.jpg", "plants/5.jpg", "toys/images/6.jpg", "tools/images/7.jpg")
    found = entries(list_source(str(tmp_path), PLAIN))
    assert {(name.split("/")[0], None) for name, _, _ in found} == {
        (label, split) for _, label, split in found
    }


def typed(message: str) -> list[list[str]]:
    """The commands that a message says to type."""
    return [shlex.split(line)[2:] for line in re.findall(r"`(graft run [^`]+)`", message)]


@pytest.mark.parametrize(
    "files",
    [
        below("day1", "day2"),
        below("fold0", "fold1", "fold2"),
        below("Entrainement", "Essai"),
        below("a/images", "b/images"),
        [*below("day1"), *below("day2"), "day2/birds/1.jpg", "day1/preview.jpg"],
        ["p1/ill/1.jpg", "p2/well/1.jpg", "p3/ill/2.jpg", "p3/well/2.jpg"],
        below("train/day1", "train/day2", "test/day1"),
        below("site1/train", "site1/test", "site2/train", "site2/test"),
        ["cats/front/1.jpg", "cats/rear/1.jpg", "dogs/front/1.jpg", "dogs/rear/1.jpg"],
    ],
)
def test_asks_where_all_hold_the_same_folders(tmp_path, files):
    put(tmp_path, *files)
    with pytest.raises(BadDataError, match="Which are the classes") as caught:
        list_source(str(tmp_path), PLAIN)
    commands = typed(str(caught.value))
    assert len(commands) == 3
    for arguments in commands:
        settings = PLAIN
        if "--set" in arguments:
            settings = IngestSettings(layout=arguments[-1].removeprefix("data.layout="))
        assert len(splits(Path(arguments[1]), settings)) > 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["train/1.jpg", "test/2.jpg"], "no train/ with class folders"),
        (["train/1.jpg", "test/2.jpg", "notes/3.jpg"], "names stand for splits"),
        (["cats_train/1.jpg", "cats_test/2.jpg", "dogs_train/1.jpg"], "names stand for splits"),
        (["train/train/1.jpg", "test/test/2.jpg"], "no train/ with class folders"),
        (["test/cat/1.jpg", "validation/cat/2.jpg"], "no train/ with class folders"),
        (["cats/test/1.jpg", "dogs/test/2.jpg"], "no train/ with class folders"),
        (["train/old/1.jpg", "train/new/2.jpg", "bus/3.jpg"], "Either train is the training"),
        (below("Train", "Holdout"), "rename those beside it to validation/ and test/"),
        (below("a_train", "a_test", "b_train", "b_test"), "more than one training set"),
        (["cats/train/1.jpg", "cats/test/2.jpg", "dogs/3.jpg"], "not every class holds"),
        (below("p1/a1", "p1/a2", "p2/b1", "p2/b2"), "Which are the classes"),
        (["train/test/1.jpg", "train/train/2.jpg"], "stand for splits"),
        (["images/1.jpg", "masks/1.png"], "say nothing of a class"),
        (["train/images/1.jpg", "train/labels/1.png", "val/images/2.jpg"], "nothing of a class"),
        ([], "no class folders"),
        (["1.jpg", "2.jpg"], "no class folders"),
        (["train/cat/.hidden", "test/cat/.hidden"], "no images"),
        (["cats/1.txt", "dogs/2.txt"], "no images that can be used"),
    ],
)
def test_never_makes_classes_of_splits(tmp_path, files, words):
    put(tmp_path, *files)
    with pytest.raises(BadDataError, match=words):
        list_source(str(tmp_path), PLAIN)


def test_names_a_file_that_may_hold_the_labels(tmp_path):
    put(tmp_path, "train/1.jpg", "test/2.jpg", "train.csv")
    with pytest.raises(BadDataError, match=r"`graft run --data \S+/train\.csv`"):
        list_source(str(tmp_path), PLAIN)


def test_names_the_list_that_lies_in_the_folder_of_a_split(tmp_path):
    put(tmp_path, "train/1.jpg", "test/2.jpg", "train/metadata.csv")
    with pytest.raises(BadDataError, match=r"`graft run --data \S+/train/metadata\.csv`"):
        list_source(str(tmp_path), PLAIN)
    put(tmp_path, "test/metadata.csv")
    several = r"If test/metadata\.csv, train/metadata\.csv say .*as in test/1\.jpg.*/labels\.csv`"
    with pytest.raises(BadDataError, match=several):
        list_source(str(tmp_path), PLAIN)


def test_says_of_an_archive_that_it_has_to_be_unpacked(tmp_path):
    put(tmp_path, "Photos.ZIP", "notes.txt")
    for path in (tmp_path, tmp_path / "Photos.ZIP"):
        with pytest.raises(BadDataError, match=r"Photos\.ZIP is an archive: unpack it\."):
            list_source(str(path), PLAIN)


def test_says_of_a_spreadsheet_that_it_has_to_be_saved_as_csv(tmp_path):
    put(tmp_path, "labels.XLSX")
    for path in (tmp_path, tmp_path / "labels.XLSX"):
        with pytest.raises(BadDataError, match=r"labels\.XLSX is a spreadsheet: save it as CSV"):
            list_source(str(path), PLAIN)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.json", "JSON Lines"),
        ("a.TXT", "header path,label"),
        ("a.parquet", "images as files"),
        ("a.manifest", "an object a line, call it .jsonl"),
    ],
)
def test_says_of_a_list_in_another_form_how_to_write_it(tmp_path, name, words):
    put(tmp_path, name)
    with pytest.raises(BadDataError, match=f"{name}: .*{words}"):
        list_source(str(tmp_path / name), PLAIN)


def test_the_user_has_the_last_word(tmp_path):
    put(tmp_path, *below("train", "test"))
    top = IngestSettings(layout="class_per_folder")
    assert splits(tmp_path, top) == {"train": {None}, "test": {None}}
    inner = IngestSettings(layout="class_per_inner_folder")
    assert splits(tmp_path, inner) == {"cats": {None}, "dogs": {None}}


def test_says_so_where_folders_in_classes_could_be_the_classes(tmp_path):
    put(tmp_path, "fruit/apple/1.jpg", "fruit/pear/2.jpg", "veg/leek/3.jpg", "veg/kale/4.jpg")
    told = list_source(str(tmp_path), PLAIN).layout
    assert told.startswith(
        "a folder per class; the folders in them (apple, kale, leek, …) are none"
    )
    assert "data.layout: class_per_inner_folder" in told
    put(tmp_path, "nuts/5.jpg")
    assert list_source(str(tmp_path), PLAIN).layout == "a folder per class"
