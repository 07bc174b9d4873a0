"""Data that many tests share."""

import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from sklearn.datasets import load_digits

from models.numerics import compute_with_onednn

compute_with_onednn()

_IMAGES_PER_CLASS = 20
_SIDE = 32

_UNTIMED = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("small", max_examples=300, derandomize=True, **_UNTIMED)
settings.register_profile("large", max_examples=50_000, print_blob=True, **_UNTIMED)
settings.load_profile("small")


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
