"""One picture, one answer: over REST, by `graft predict`, and of the model that was trained."""

import json
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from picture_kinds import exact_kinds, foreign_kinds, lossy_kinds
from serving_requests import rest_url, server_settings

from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.normalisation import normalise
from models.export import export_model
from pipeline.predict_command import Servers, predict
from pipeline.served_model import Served
from serving.client import RequestRefusedError, predict_rest
from serving.server.model_server import ModelServer

SIZE = 32
MAX_PIXELS = 100_000
LABELS = ("a", "b", "c", "d", "e", "f", "g")
KINDS = exact_kinds() | lossy_kinds()
_TOLERANCE = 3e-3
"""For what ingest writes anew as a fine JPEG; the pixels of all else are equal, which
`tests/unit/models/export/test_images.py` says."""


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    """Every pixel counts in it."""
    keras.utils.set_random_seed(5)
    images = keras.Input((SIZE, SIZE, 3))
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.Dense(len(LABELS), activation="softmax")(features))


@pytest.fixture(scope="module")
def model(classifier: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Served:
    base = tmp_path_factory.mktemp("served")
    export_model(
        classifier,
        classifier.layers[-1].input,
        LABELS,
        ImageSpec(SIZE),
        base / "1",
        {},
        licence="",
        sample_range=None,
        max_pixels=MAX_PIXELS,
    )
    return Served("m", base, MAX_PIXELS)


@pytest.fixture(scope="module")
def url(model: Served) -> Iterator[str]:
    with ModelServer(server_settings(model.directory)) as server:
        yield rest_url(server)


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_has_one_answer(
    classifier: keras.Model,
    model: Served,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    raw = KINDS[kind]
    (by_rest,) = predict_rest(url, "m", [raw]).probabilities
    normalised = normalise(raw, MAX_PIXELS, takes_first=True).encoded
    decoded = decode_and_resize(tf.constant(normalised), ImageSpec(SIZE))
    (trained,) = classifier(decoded[None]).numpy()
    np.testing.assert_allclose(by_rest, trained, atol=_TOLERANCE)

    (tmp_path / "picture").write_bytes(raw)
    assert predict(model, [tmp_path / "picture"], Servers(url), "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["label"] == LABELS[trained.argmax()]
    assert told["score"] == pytest.approx(trained.max(), abs=_TOLERANCE)


@pytest.mark.parametrize("kind", foreign_kinds())
def test_no_picture_has_a_wrong_answer(url: str, kind: str) -> None:
    image, words = foreign_kinds()[kind]
    with pytest.raises(RequestRefusedError) as caught:
        predict_rest(url, "m", [image])
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["jpeg", "jpeg turned, 6", "png", "png alpha"])
def test_an_image_is_named_whose_pixels_are_broken(url: str, kind: str) -> None:
    """Its header is sound, so that only the decoder finds out."""
    good = KINDS["jpeg"]
    middle = len(KINDS[kind]) // 2
    if kind.startswith("jpeg"):
        broken = KINDS[kind][:middle]
    else:
        broken = KINDS[kind][:middle] + bytes(50) + KINDS[kind][middle + 50 :]
    with pytest.raises(RequestRefusedError, match="Instance 2 of the request: "):
        predict_rest(url, "m", [good, good, broken, good])
