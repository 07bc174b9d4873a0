"""Tasks, searches and a finished run on scikit-learn's digits, for tests of tuning and report."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_digits
from small_ranges import RANGES

from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin
from models.search.search_settings import SearchSettings

if TYPE_CHECKING:
    from finished_run import FinishedRun


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


@pytest.fixture
def small_search() -> Callable[..., SearchSettings]:
    """Settings of a search of some seconds; keyword arguments replace them."""

    def make(**changes: object) -> SearchSettings:
        settings = {
            "trials": 4,
            "algorithm": "random",
            "epochs": 4,
            "finalists": 1,
            **RANGES,
        }
        return SearchSettings.model_validate({**settings, **changes})

    return make


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> "FinishedRun":
    """Made once, never changed."""
    # Imported here: it brings all of TensorFlow, which most unit tests do without.
    from finished_run import FinishedRun

    return FinishedRun(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def run(finished_run: "FinishedRun", tmp_path: Path) -> "FinishedRun":
    """A finished run that a test may damage."""
    return finished_run.copy(tmp_path / "artifacts")
