"""Bad data and bad requests through the command: an answer in words, and nothing lost."""

import csv
import html
import io
import json
import os
import shutil
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from graft_command import Answer, graft, graft_here
from PIL import Image

Here = Callable[..., Answer]
_FEW = ("--set", "validation.min_images_per_class=3")
_QUICK = ("--image-size", "32", "--trials", "2", "--strategy", "feature_extraction")

# Folder names on disk, each with the class that it becomes.
_STRANGE_CLASSES = {
    b'two words \'n "quotes"': 'two words \'n "quotes"',
    b"line\nbreak": "line\\nbreak",
    "größe 数字".encode(): "größe 数字",
    b"latin\xe9": "latin\\xe9",
    b"a,b;c\t{SPAN}%s$HOME": "a,b;c\\t{SPAN}%s$HOME",
}


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Here:
    """The command in this process."""
    return partial(graft_here, tmp_path_factory.mktemp("told"))


@pytest.fixture
def data(digits_folder: Path, tmp_path: Path) -> Path:
    """A copy of three classes, to be spoilt."""
    for label in "123":
        shutil.copytree(digits_folder / label, tmp_path / "data" / label)
    return tmp_path / "data"


def _images(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.png"))


def _bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _animation() -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "gif", save_all=True, append_images=frames[1:])
    return target.getvalue()


def _spoil(folder: Path) -> dict[str, str]:
    """Puts every kind of bad file into a class folder; returns name to expected code."""
    whole = _images(folder)[0].read_bytes()
    contents = {
        "cut.png": (whole[:70], "truncated"),
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"this is no image", "not_an_image"),
        "bomb.png": (_bomb(), "too_many_pixels"),
        "animated.gif": (_animation(), "animated"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    expected = {name: code for name, (_, code) in contents.items()}
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    (folder / "itself.jpg").symlink_to("itself.jpg")
    (folder / "loop").symlink_to(".")
    expected |= {"pipe.jpg": "not_a_file", "nowhere.jpg": "unreadable", "itself.jpg": "unreadable"}
    expected["loop"] = "symlink_loop"
    if os.geteuid() != 0:  # root reads whatever the permissions are
        (folder / "locked.png").write_bytes(whole)
        (folder / "locked.png").chmod(0)
        expected["locked.png"] = "unreadable"
    return expected


@pytest.fixture(scope="module")
def strange(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole run on data full of strange names and bad files, in a workspace with such a name."""
    folder = tmp_path_factory.mktemp("strange")
    data = folder / "my 'photos'"
    for label, name in enumerate(_STRANGE_CLASSES):
        target = data / os.fsdecode(name)
        target.mkdir(parents=True)
        for image in _images(digits_folder / str(label)):
            shutil.copy(image, target / (image.stem + ' é\n"x"' + os.fsdecode(b"\xff") + ".png"))
    spoilt = data / 'two words \'n "quotes"'
    codes = {f"{spoilt.name}/{name}": code for name, code in _spoil(spoilt).items()}
    (data / "up").symlink_to("..")
    codes["up"] = "link_outside"
    workspace = folder / 'work"space 工'
    answer = graft("run", "--json", "--data", data, "--workspace", workspace, *_QUICK,
                   "--set", "evaluation.min_accuracy=0.2", *_FEW,
                   "--set", "evaluation.max_drop_below_probe=1.0")  # fmt: skip
    return {"answer": answer, "workspace": workspace, "codes": codes, "data": data}


def test_a_run_goes_on_past_strange_names_and_bad_files(strange: dict[str, Any]) -> None:
    answer = strange["answer"]
    assert answer.code == 0, answer.summary["reason"]
    summary = answer.summary
    assert summary["status"] == "pushed"
    assert summary["data"]["images"] == 20 * len(_STRANGE_CLASSES)
    assert summary["data"]["quarantined"] == len(strange["codes"])
    assert set(summary["metrics"]["per_class"]) == set(_STRANGE_CLASSES.values())


def test_the_report_names_each_bad_file_with_its_reason(strange: dict[str, Any]) -> None:
    (quarantine,) = strange["workspace"].glob("artifacts/ImageExampleGen/quarantine/*")
    lines = (quarantine / "quarantine.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert {line["name"]: line["code"] for line in found} == strange["codes"]
    (page,) = strange["workspace"].glob("runs/*/report.html")
    text = page.read_text("utf-8")
    for line in found:
        assert line["name"].partition("/")[2] in text
        assert html.escape(line["reason"]).replace("&#x27;", "&#39;") in text


def test_its_model_is_asked_about_files_that_are_there_and_are_not(
    strange: dict[str, Any], here: Here, tmp_path: Path
) -> None:
    ask = ("predict", "--workspace", strange["workspace"])
    image = next((strange["data"] / "line\nbreak").iterdir())
    (tmp_path / "text.jpg").write_text("hello")

    good = graft(*ask, "--json", image)
    assert good.code == 0
    assert json.loads(good.out)["label"] in _STRANGE_CLASSES.values()

    missing = here(*ask, tmp_path / "none.png")
    assert (missing.code, missing.out) == (3, "")
    assert "none.png cannot be read: No such file" in missing.err
    text = here(*ask, tmp_path / "text.jpg")
    assert (text.code, text.out) == (3, "")
    assert "it is text" in text.err
    assert "text.jpg is no image that can be classified" in text.err
    mixed = here(*ask, "--csv", tmp_path / "text.jpg", image)
    rows = list(csv.reader(io.StringIO(mixed.out)))
    assert (mixed.code, [row[0] for row in rows[:2]]) == (3, ["file", str(tmp_path / "text.jpg")])
    assert rows[2][1] in _STRANGE_CLASSES.values()
    assert mixed.err == "graft: 1 classified, 1 not classified, 0 passed over.\n"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"localhost:{unused.getsockname()[1]}"
        for flag in ("--url", "--grpc"):
            silent = here(*ask, image, flag, address)
            assert (silent.code, silent.out) == (1, "")
            assert address in silent.err
            assert "`graft serve` starts a server" in silent.err
    wrong = here(*ask, image, "--url", "ftp://localhost")
    assert wrong.code == 2
    assert "Expected http://HOST:PORT" in wrong.err


def test_serve_says_which_port_is_taken(strange: dict[str, Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = graft("serve", "--workspace", strange["workspace"], "--port", "0",
                       "--rest-port", port)  # fmt: skip
    assert (answer.code, answer.out) == (2, "")
    assert f"REST port {port} of 127.0.0.1 cannot be opened" in answer.err


def test_runs_and_predict_outlive_a_damaged_summary(
    strange: dict[str, Any], here: Here, tmp_path: Path
) -> None:
    workspace = tmp_path / "copy"
    shutil.copytree(strange["workspace"] / "runs", workspace / "runs")
    (summary,) = workspace.glob("runs/*/summary.json")
    whole = summary.read_text("utf-8")
    for damaged in (whole[:100], "[1, 2]", "{}", '{"status": 3, "metrics": null}', ""):
        summary.write_text(damaged, "utf-8")
        listed = here("runs", "--workspace", workspace)
        assert listed.code == 0
        assert f"{summary} is damaged." in listed.out
        assert here("report", "--workspace", workspace).out.strip().endswith("report.html")
        assert here("predict", "--workspace", workspace, summary).code == 2
    summary.unlink()
    assert (
        "stopped before its end, or is still at work" in here("runs", "--workspace", workspace).out
    )


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
    ("spoil", "words"),
    [
        (_empty, ["has no class folders", "expected a folder per class"]),
        (_one_class, ["All 20 images have the label '1'", "at least two classes"]),
        (_only_broken, ["Every image was refused", "60 truncated", "ends before its last pixel"]),
        (_train_without_classes, ["expected a folder per class"]),
    ],
)
def test_data_that_nothing_can_be_learnt_from(
    here: Here, data: Path, tmp_path: Path, spoil: Callable[[Path], None], words: list[str]
) -> None:
    spoil(data)
    answer = here("run", "--json", "--data", data, "--workspace", tmp_path / "w")
    assert answer.code == 3
    assert answer.summary["status"] == "failed"
    for word in words:
        assert word in answer.summary["reason"]


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
        (b"\xff\xfe", "cannot be read"),
    ):
        file.write_bytes(content)
        answer = here("run", "--config", file)
        assert answer.code == 2
        assert words in answer.err
        assert str(file) in answer.err
    assert here("serve", "--port", "99999").code == 2
    assert here("init", file).code == 2
    assert file.read_bytes() == content
