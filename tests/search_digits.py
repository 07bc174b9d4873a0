"""Small searches on scikit-learn's digits, with eight layers in place of a real backbone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import pytest
from training_digits import LABELS, digit_paths, write_split

from components.tuner import executor
from models.backbone_choice.backbone_choice import Candidate
from models.backbones import Backbone, multiply_adds
from models.errors import UsageError
from models.search import prepared_backbone
from models.search.search_task import SearchTask
from models.training.training_settings import TrainingSettings

SIZES = (32, 16)


def small_backbone(name: str, weights: str, size: int, **_: Any) -> Backbone:
    """Random weights, the same each time; the weights "missing" cannot be had."""
    if weights == "missing":
        raise UsageError("the weights cannot be had")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((size, size, 3))
    features = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for number in range(8):
        features = keras.layers.Conv2D(
            12, 3, strides=2 if number < 2 else 1, padding="same", activation="relu"
        )(features)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(features))
    return Backbone(name, model, model, (), size, 12, "0" * 64)


@contextmanager
def only_small_backbones() -> Iterator[None]:
    """In the block all searches have `small_backbone`, whichever they ask for."""
    multiply_adds._counted.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for module in (prepared_backbone, multiply_adds, executor):
            patch.setattr(module, "build_backbone", small_backbone)
        yield
    multiply_adds._counted.cache_clear()


@pytest.fixture
def small_backbones() -> Iterator[None]:
    """`only_small_backbones` in one test."""
    with only_small_backbones():
        yield


def search_task(digits: Path, folder: Path, **settings: Any) -> SearchTask:
    """120 digits to train on and 40 to validate on; keyword arguments are training settings."""
    examples = folder / "examples"
    if not examples.exists():
        for split, paths in digit_paths(digits).items():
            write_split(examples, split, paths)
    return SearchTask(
        examples_uri=str(examples),
        labels=LABELS,
        candidates=tuple(
            Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size)
            for size in SIZES
        ),
        resize="stretch",
        features="last",
        training=TrainingSettings(**{"epochs": 4, "batch_size": 16, **settings}),
        seed=1,
        embeddings=str(folder / "embeddings"),
        activations=str(folder / "activations"),
    )
