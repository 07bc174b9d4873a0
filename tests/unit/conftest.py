"""A finished run, for the tests of the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from finished_run import FinishedRun


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
