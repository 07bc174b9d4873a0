"""Whether a worker may write what the run would write."""

from pathlib import Path

import pytest

from components.beam_worker import check_worker
from components.code_fingerprint import code_fingerprint
from models.errors import GraftError


def test_a_worker_needs_the_same_code_and_sees_the_data(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.touch()
    module = "components.example_gen"
    code = code_fingerprint(module)
    check_worker(module, code, str(image))
    with pytest.raises(GraftError, match="another Graft"):
        check_worker(module, "0" * 16, str(image))
    with pytest.raises(GraftError, match=r"does not see .*b\.png"):
        check_worker(module, code, str(tmp_path / "b.png"))
