"""Whether a worker may write what the run would write."""

from pathlib import Path

import pytest

from components.code_fingerprint import code_fingerprint
from components.example_gen.worker import check_worker
from models.errors import GraftError


def test_a_worker_needs_the_same_code_and_sees_the_data(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.touch()
    code = code_fingerprint("components.example_gen")
    check_worker(code, str(image))
    with pytest.raises(GraftError, match="another Graft"):
        check_worker("0" * 16, str(image))
    with pytest.raises(GraftError, match=r"does not see .*b\.png"):
        check_worker(code, str(tmp_path / "b.png"))
