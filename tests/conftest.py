"""Data that many tests share."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin
from models.large_imports import large_imports
from models.numerics import compute_with_onednn

compute_with_onednn()

_IMAGES_PER_CLASS = 20
_SIDE = 32

_UNTIMED: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("small", max_examples=300, derandomize=True, **_UNTIMED)
settings.register_profile("large", max_examples=50_000, print_blob=True, **_UNTIMED)
settings.load_profile("small")


def pytest_configure() -> None:
    """Has each of the processes of `-n`, and those that it starts, compute on one core.

    They are as many as the cores, and more threads would only wait for each other.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ.setdefault(name, "1")
        # These were loaded before: what a test starts would compute otherwise than the test.
        threadpool_limits(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Imports all that the tests import, as the command does."""
    with large_imports():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """A shell has its background jobs ignore Ctrl-C, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handwritten digits of scikit-learn: a folder for each of 10 classes, 20 PNGs of 32 px."""
    folder = tmp_path_factory.mktemp("digits")
    digits = load_digits()
    for label in range(10):
        (folder / str(label)).mkdir()
        for number in np.flatnonzero(digits.target == label)[:_IMAGES_PER_CLASS]:
            grey = np.minimum(digits.images[number] * 16, 255).astype(np.uint8)
            image = Image.fromarray(grey).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
            image.save(folder / str(label) / f"{number:04d}.png")
    return folder


@pytest.fixture(scope="session")
def watermark_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of versions: 1 finds watermarks (`tests/watermarks.py`) and explains itself."""
    from watermarks import export_network  # it brings TensorFlow

    base = tmp_path_factory.mktemp("watermarks")
    export_network(base / "1")
    return base


def digits() -> LabelledEmbeddings:
    images, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return LabelledEmbeddings(images[order].astype(np.float32), classes[order])


@pytest.fixture(scope="session")
def digits_task() -> HeadTask:
    """Pixels of the digits as embeddings: 600 to train on, 500 to validate on, 64 features."""
    data = digits()
    return HeadTask(
        train=LabelledEmbeddings(data.embeddings[:600], data.classes[:600]),
        validation=LabelledEmbeddings(data.embeddings[600:1100], data.classes[600:1100]),
        classes=10,
    )


@pytest.fixture(scope="session")
def digits_test() -> LabelledEmbeddings:
    """The digits that `digits_task` leaves."""
    data = digits()
    return LabelledEmbeddings(data.embeddings[1100:], data.classes[1100:])


@pytest.fixture(scope="session")
def digits_origin() -> Origin:
    """Says that the pixels come from no backbone."""
    return Origin("pixels", "none", "0" * 64, image_size=8, data_fingerprint="f" * 64)
