"""Bad data and bad requests through the command: an answer in words, and nothing lost."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from graft_command import Here


@pytest.fixture
def data(digits_folder: Path, tmp_path: Path) -> Path:
    """A copy of three classes, to be spoilt."""
    for label in "123":
        shutil.copytree(digits_folder / label, tmp_path / "data" / label)
    return tmp_path / "data"


def _images(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.png"))


def test_nothing_pushed_yet(here: Here, tmp_path: Path) -> None:
    for command in (["predict", "x.png"], ["serve"], ["report"]):
        answer = here(*command, "--workspace", tmp_path)
        assert (answer.code, answer.out) == (2, "")
        assert str(tmp_path) in answer.err


def _one_class(data: Path) -> None:
    shutil.rmtree(data / "2")
    shutil.rmtree(data / "3")


def _only_broken(data: Path) -> None:
    for image in _images(data):
        image.write_bytes(image.read_bytes()[:60])


def _empty(data: Path) -> None:
    shutil.rmtree(data)
    data.mkdir()


def _train_without_classes(data: Path) -> None:
    (data / "1").rename(data / "test")
    shutil.rmtree(data / "2")
    shutil.rmtree(data / "3")


@pytest.mark.parametrize(
    ("spoil", "words", "refused"),
    [
        (_empty, ["has no class folders", "expected a folder per class"], {}),
        (
            _one_class,
            ["All 20 images have the label '1'", "at least two classes"],
            {"source_refused": 20},
        ),
        (
            _only_broken,
            ["Every image was refused", "60 truncated", "ends before its last pixel"],
            {"truncated": 60},
        ),
        (_train_without_classes, ["expected a folder per class"], {}),
    ],
)
def test_data_that_nothing_can_be_learnt_from(
    here: Here,
    data: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    words: list[str],
    refused: dict[str, int],
) -> None:
    spoil(data)
    answer = here("run", "--json", "--data", data, "--workspace", tmp_path / "w")
    assert answer.code == 3
    assert answer.summary["status"] == "failed"
    for word in words:
        assert word in answer.summary["reason"]
    told = answer.summary["data"]
    assert told["left_out"] == ({"refused": refused} if refused else {})
    assert told["offered"] == told["quarantined"] == (sum(refused.values()) or None)
    (report,) = (tmp_path / "w").glob("runs/*/report.html")
    assert all(code in report.read_text() for code in refused)


def test_the_gate_names_all_that_is_wrong_and_stops_before_the_backbone(
    here: Here, data: Path, tmp_path: Path
) -> None:
    for number, image in enumerate(_images(data / "1")[:3]):
        shutil.copy(image, data / "2" / f"taken-{number}.png")
    for image in _images(data / "3")[1:]:
        image.write_bytes(b"")
    (data / "4").mkdir()
    for number in range(3):
        (data / "4" / f"{number}.png").write_bytes(b"")
    run = ("run", "--data", data, "--workspace", tmp_path / "w")
    answer = here(*run)
    assert answer.code == 3
    for words in (
        'class "3" has 1 image to train on, fewer than validation.min_images_per_class: 5',
        'class "4" has no image left: every one was refused',
        "22 of 66 images (33.3%) were refused",
        "the same image stands under two labels",
        "2/taken-0.png",
        "To go on all the same, set validation.label_conflict: warning",
    ):
        assert words in answer.out
    assert "Embed images" not in answer.err
    assert "66 offered: 44 used, 22 refused (22 empty)" in answer.out

    # The same workspace, the data mended: nothing of the bad run is in the way.
    for name in ("3", "4"):
        shutil.rmtree(data / name)
    for copy in (data / "2").glob("taken-*"):
        copy.unlink()
    weights = tmp_path / "empty.keras"
    with zipfile.ZipFile(weights, "w") as file:
        file.writestr("nothing", "")
    mended = here(*run, "--json", "--weights", weights)
    assert "ValidationGate" in mended.summary["stages"]
    assert mended.code == 2
    assert str(weights) in mended.summary["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "none here"], ["There is nothing at", "none here", "a folder"]),
        ([], ["There is no data to train on", "--data DIR"]),
        (["--set", "tuning.trials=0"], ["tuning.trials", "greater than or equal to 1", "got 0"]),
        (["--set", "tuning.tirals=3"], ["tuning.tirals: unknown key", "trials"]),
        (["--set", "tuning.trials=["], ["--set tuning.trials", "got '['"]),
        (["--set", "tuning.trials"], ["--set expects KEY=VALUE"]),
        (["--strategy", "best"], ["training.strategy", "'feature_extraction'", "got 'best'"]),
        (["--data", ".", "--backbone", "resnet50"], ["model.backbone", "Did you mean ResNet50?"]),
        (["--data", "\udcff"], ["The path", "udcff", "is not UTF-8"]),
        (["--config", "none.yaml"], ["There is no configuration file none.yaml", "graft init"]),
        (["--image-size", "many"], ["--image-size", "invalid int value: 'many'"]),
    ],
)
def test_wrong_usage(here: Here, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    answer = here("run", "--json", "--workspace", tmp_path / "w", *arguments)
    assert answer.code == 2
    for word in words:
        assert word in answer.err
    if "--image-size" not in arguments:  # argparse knows of no JSON
        assert answer.summary["status"] == "failed"
        assert answer.summary["reason"] in answer.err
    assert not (tmp_path / "w").exists()


def test_wrong_configuration_files(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    for content, words in (
        (b"tuning: {trials: -1}", "tuning.trials: expected greater than or equal to 1; got -1"),
        (b"tuning: [", "is not right"),
        (b"- 1", "should hold keys and values"),
        (b"\xff", "cannot be read"),
    ):
        file.write_bytes(content)
        answer = here("run", "--config", file)
        assert answer.code == 2
        assert words in answer.err
        assert str(file) in answer.err
    assert here("serve", "--port", "99999").code == 2
    assert here("init", file).code == 2
    assert file.read_bytes() == content
