"""Where a served model saw what it answers: over REST and gRPC, as pictures and on a page."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving_requests import rest_url, server_settings
from watermarks import CLASSES, SIDE, png, watermarked

from models.errors import UsageError
from models.storage.seals import DESCRIPTION
from pipeline.predict_command import Servers, predict
from pipeline.served_model import Served
from serving.client import ExplainedAnswer, GraftClient, RequestRefusedError
from serving.server.model_server import ModelServer

DATA = watermarked(6, seed=3)
MARKED = 1


@pytest.fixture(scope="module")
def server(watermark_models: Path) -> Iterator[ModelServer]:
    with ModelServer(server_settings(watermark_models)) as running:
        yield running


@pytest.fixture(scope="module")
def model(watermark_models: Path) -> Served:
    return Served("m", watermark_models, 10**6)


def test_both_apis_give_the_same_explanation(server: ModelServer) -> None:
    images = [png(DATA.pixels[MARKED]), b"no image", png(DATA.pixels[0])]
    told = []
    for address in (rest_url(server), f"grpc://127.0.0.1:{server.grpc_port}"):
        with GraftClient(address, "m") as client:
            told.append(client.predict_each(images, explain=True))
    for said in told:
        assert isinstance(said[1], RequestRefusedError)
    for place, label in ((0, CLASSES[MARKED]), (2, CLASSES[0])):
        by_rest, by_grpc = (said[place] for said in told)
        assert isinstance(by_rest, ExplainedAnswer)
        assert isinstance(by_grpc, ExplainedAnswer)
        assert by_rest.label == by_grpc.label == label
        assert by_rest.seen == by_grpc.seen
        np.testing.assert_allclose(by_rest.heat, by_grpc.heat, atol=1e-6)
        with Image.open(io.BytesIO(by_rest.seen)) as picture:
            assert picture.size == (SIDE, SIDE)


def test_predict_writes_pictures_with_heat_on_the_mark(
    server: ModelServer, model: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (MARKED, 3):
        (tmp_path / f"{number}.png").write_bytes(png(DATA.pixels[number]))
    paths = [tmp_path / "1.png", tmp_path / "missing.png", tmp_path / "3.png"]
    page, folder = tmp_path / "page.html", tmp_path / "heat"
    predict(model, paths, Servers(rest_url(server)), "json", page, folder)
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == [
        "marked", None, "marked"
    ]  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == ["0001-1.jpg", "0003-3.jpg"]
    for name, number in (("0001-1.jpg", MARKED), ("0003-3.jpg", 3)):
        with Image.open(folder / name) as picture:
            drawn = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
        warmth = drawn[..., 0] - drawn[..., 2]
        assert warmth[DATA.mark(number)].mean() > 3 * warmth.mean()
    assert page.read_text().count("data:image/jpeg") == 4
    assert 'alt="What speaks for marked"' in page.read_text()


def test_a_model_that_cannot_explain_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    description = tmp_path / "models" / "2" / DESCRIPTION
    description.parent.mkdir(parents=True)
    description.write_text('{"labels": ["a"]}')
    old = Served("m", tmp_path / "models", 10**6)
    with pytest.raises(UsageError, match="version 2 cannot explain its answers"):
        predict(old, [tmp_path / "models"], Servers(), "text", None, tmp_path / "heat")
