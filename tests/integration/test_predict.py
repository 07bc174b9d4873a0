"""`graft predict`: an answer for every image that can be read, and words for all else."""

import base64
import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from PIL import Image
from serving_requests import rest_url, server_settings

from models.errors import GraftError
from pipeline.answer_page import MOST_PICTURES, AnswerPage
from pipeline.answers import Form
from pipeline.cli import main
from pipeline.image_files import ImageFile
from pipeline.predict_command import Servers, predict
from pipeline.served_model import Served
from serving.client import Answer, Options, PredictionError
from serving.server.model_server import ModelServer

_PIXELS = 1_000_000


@pytest.fixture(scope="module")
def model(small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("base")
    shutil.copytree(small_models[0], folder / "1")
    return Served("m", folder, _PIXELS)


@pytest.fixture(scope="module")
def server(model: Served) -> Iterator[ModelServer]:
    with ModelServer(server_settings(model.directory)) as server:
        yield server


@pytest.fixture
def photos(tmp_path: Path, pictures: list[bytes]) -> Path:
    """Four images in two folders among all that lies in folders of photographs."""
    folder = tmp_path / "photos"
    (folder / "deep er").mkdir(parents=True)
    (folder / "b.png").write_bytes(pictures[0])
    (folder / "a.png").write_bytes(pictures[1])
    (folder / "cut.png").write_bytes(pictures[1][:40])
    (folder / 'deep er/c, "d".png').write_bytes(pictures[2])
    (folder / "deep er" / os.fsdecode(b"latin\xe9")).write_bytes(pictures[2])
    for name in (".DS_Store", "notes.txt", "Thumbs.db", "deep er/labels.XML", "all.tar.gz"):
        (folder / name).write_bytes(b"something else")
    (folder / "deep er" / "up").symlink_to("..")
    return folder


def _rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_folder_is_walked_in_order(
    model: Served, server: ModelServer, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(model, [photos], Servers(rest_url(server)), "json") == 3
    told = capsys.readouterr()
    rows = _rows(told.out)
    names = [str(row["file"])[len(str(photos)) + 1 :] for row in rows]
    last = "deep er/latin\udce9"
    assert names == ["a.png", "b.png", "cut.png", 'deep er/c, "d".png', last]
    assert [row["label"] is None for row in rows] == [False, False, True, False, False]
    assert "is no image that can be classified" in str(rows[2]["error"])
    assert told.err == "graft: 4 classified, 1 not classified, 6 passed over.\n"


def test_a_server_elsewhere_is_asked_without_a_workspace(
    server: ModelServer,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("I;16", (40, 40), 700).save(photos / "deep.png")
    Image.new("I;16", (40, 40), 700).save(photos / "deep.tif")
    named = [photos / name for name in ("a.png", "deep.png", "deep.tif")]
    url = f"localhost:{server.rest_port}"
    assert main(["predict", "--url", url, "--model", "m", "--json", *map(str, named)]) == 3
    first, deep, unread = _rows(capfd.readouterr().out)
    assert first["label"] is not None
    assert deep["label"] is not None
    assert "name it with --workspace" in unread["error"]
    assert main(["predict", "--url", url, str(named[0])]) == 1
    assert "graft" in capfd.readouterr().err
    assert main(["predict", "--url", url, "--workspace", "w", str(named[0])]) == 2
    assert "No model was pushed" in capfd.readouterr().err
    assert main(["predict", "--model", "m", str(named[0])]) == 2
    assert not (tmp_path / "graft-workspace").exists()


def test_csv_says_the_same(
    model: Served, server: ModelServer, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = Servers(rest_url(server))
    predict(model, [photos], servers, "json")
    expected = _rows(capsys.readouterr().out)
    assert predict(model, [photos], servers, "csv") == 3
    out = capsys.readouterr().out
    assert out.count("\r\n") == 6
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert list(rows[0])[:6] == ["file", "label", "score", "error", "label_2", "score_2"]
    for row, told in zip(rows, expected, strict=True):
        ranked = [
            (row["label"], row["score"]),
            *((row[f"label_{n}"], row[f"score_{n}"]) for n in (2, 3)),
        ]
        classes = [(each["label"], str(each["score"])) for each in told["classes"]]
        assert [each for each in ranked if each[0]] == classes
        assert len(classes) == (0 if row["error"] else 3)
        assert row["label_4"] == row["score_5"] == ""
    assert [row["label"] for row in rows] == [row["label"] or "" for row in expected]
    assert [row["error"] for row in rows] == [row.get("error", "") for row in expected]
    assert rows[-1]["file"].endswith("latin\\xe9")


def test_what_cannot_be_read_is_told_and_the_others_answered(
    model: Served,
    server: ModelServer,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "text.png").write_text("secret words")
    (tmp_path / "empty").mkdir()
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2**30)
    bad = {
        tmp_path / "none.png": "cannot be read: No such file or directory",
        tmp_path / "pipe.png": "it is a device, a pipe or a socket",
        Path("/dev/zero"): "it is a device, a pipe or a socket",
        Path("/proc/self/environ"): "the file is empty",
        tmp_path / "huge.png": "1,073,741,824 bytes are too many for an image",
        tmp_path / "empty": "has no image in it",
        tmp_path / ("n" * 300): "cannot be read: File name too long",
        tmp_path / "text.png": "is no image that can be classified",
    }
    paths = [photos / "a.png", *bad, photos / "b.png"]
    assert predict(model, paths, Servers(rest_url(server)), "text") == 3
    told = capsys.readouterr()
    assert [line.split()[1] for line in told.out.splitlines()] == [str(paths[0]), str(paths[-1])]
    lines = told.err.splitlines()
    for (path, words), line in zip(bad.items(), lines, strict=False):
        assert line.startswith(f"graft: {path} ")
        assert words in line
    assert lines[-1] == f"graft: 2 classified, {len(bad)} not classified, 0 passed over."


def test_no_server_is_started_where_nothing_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = Served("m", tmp_path / "nothing here", _PIXELS)
    assert predict(nowhere, [tmp_path / "none.png"], Servers(), "json") == 3
    assert _rows(capsys.readouterr().out)[0]["label"] is None


def test_both_apis_of_a_server_of_its_own(
    model: Served, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(model, [photos / "a.png", photos / "b.png"], Servers(), "text") == 0
    told = capsys.readouterr()
    apis = [line.split()[:2] for line in told.out.splitlines()]
    assert apis == [
        [api, str(photos / name)] for name in ("a.png", "b.png") for api in ("REST", "gRPC")
    ]
    assert told.err == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_goes_in_the_middle_leaves_what_it_said(
    model: Served, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: Form
) -> None:
    for number in range(200):
        shutil.copy(photos / "a.png", tmp_path / f"{number:03}.png")
    server = ModelServer(server_settings(model.directory))
    server.start()

    def paths() -> Iterator[Path]:
        for number in range(200):
            if number == 160:  # one request at least was answered, as four are under way at most
                server.stop()
            yield tmp_path / f"{number:03}.png"

    class Files(list[Path]):
        def __iter__(self) -> Iterator[Path]:
            return paths()

    page = tmp_path / "page.html"
    servers = Servers(rest_url(server), options=Options(retry=False))
    with pytest.raises(PredictionError, match=r" The first [0-9]+ images were done") as raised:
        predict(model, Files(), servers, form, page)
    done = int(re.findall("first ([0-9]+) images", str(raised.value))[0])
    assert done in range(32, 161, 32)
    assert len(capsys.readouterr().out.splitlines()) == done
    assert page.read_text().count("<img") == done


def test_the_page_shows_each_picture_and_runs_no_name(
    model: Served, server: ModelServer, photos: Path, tmp_path: Path, pictures: list[bytes]
) -> None:
    evil = "<img src=x onerror=alert(1)>&quot;'.png"
    (photos / evil).write_bytes(pictures[0])
    (photos / f"{evil}.png").write_bytes(b"no image")
    page = tmp_path / "page.html"
    assert predict(model, [photos], Servers(rest_url(server)), "json", page) == 3
    text = page.read_text("utf-8")
    sources = re.findall('<img src="(.*?)"', text)
    assert len(sources) == 5
    for source in sources:
        kind, _, data = source.partition(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as small:
            assert max(small.size) <= 160
    assert text.count(str(escape(evil))) == 3  # the picture, its title, the error
    assert "onerror=alert(1)>" not in text
    assert text.count('<td class="bar">') == 5 * 3 + len(set(re.findall('best">(.*?)<', text)))
    assert "naïve" in text
    assert "5 images classified, 2 not classified" in text
    assert "latin\\xe9" in text


def test_a_page_holds_so_many_pictures_and_no_more(tmp_path: Path, pictures: list[bytes]) -> None:
    page = AnswerPage(tmp_path / "page.html", "m")
    answer = Answer(("red", "dark"), (0.75, 0.25))
    for number in range(MOST_PICTURES + 20):
        page.answered(ImageFile(Path(f"{number}.png"), pictures[2]), {"REST": answer})
        page.failed(Path(f"{number}.txt"), "is text")
    page.write()
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text.count("<img") == MOST_PICTURES == 500
    assert "The first 500 of 520." in text
    assert "The first 200 of 520." in text
    assert len(text) < 2_000_000


def test_a_page_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GraftError, match=r"file/page\.html cannot be written"):
        AnswerPage(tmp_path / "file" / "page.html", "m").write()
