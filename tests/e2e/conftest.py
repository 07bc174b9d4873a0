from functools import partial

import pytest
from graft_command import Here, graft_here


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Here:
    """The command in this process."""
    return partial(graft_here, tmp_path_factory.mktemp("told"))
