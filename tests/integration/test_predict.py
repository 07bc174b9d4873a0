"""`graft predict`: an answer for every image that can be read, and words for all else."""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_requests import rest_url, server_settings

from pipeline.answers import Answer, Form
from pipeline.predict_command import Servers, ask_each, predict
from pipeline.served_model import Served
from serving.client import PredictionError, predict_grpc, predict_rest
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


def _rows(out: str) -> list[dict[str, object]]:
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
    assert list(rows[0]) == ["file", "label", "score", "error"]
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


@pytest.mark.parametrize("api", ["rest", "grpc"])
def test_an_image_that_the_server_refuses_takes_no_other_with_it(
    server: ModelServer, pictures: list[bytes], api: str
) -> None:
    def ask(images):
        if api == "rest":
            return predict_rest(rest_url(server), "m", images)
        return predict_grpc(f"127.0.0.1:{server.grpc_port}", "m", images)

    told = ask_each(ask, [pictures[0], b"no image", *pictures, b""])
    assert [isinstance(each, Answer) for each in told] == [True, False, True, True, True, False]
    assert str(told[1]).startswith("was refused: The server at")
    assert told[0] == told[2]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_goes_in_the_middle_leaves_what_it_said(
    model: Served, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: Form
) -> None:
    for number in range(40):
        shutil.copy(photos / "a.png", tmp_path / f"{number:02}.png")
    server = ModelServer(server_settings(model.directory))
    server.start()

    def paths() -> Iterator[Path]:
        for number in range(40):
            if number == 32:  # the first request was answered
                server.stop()
            yield tmp_path / f"{number:02}.png"

    class Files(list[Path]):
        def __iter__(self) -> Iterator[Path]:
            return paths()

    with pytest.raises(
        PredictionError, match=r"No server answers .* The first 32 images were done"
    ):
        predict(model, Files(), Servers(rest_url(server)), form)
    assert len(capsys.readouterr().out.splitlines()) == 32
