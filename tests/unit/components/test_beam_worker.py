"""Whether a worker may write what the run would write."""

from pathlib import Path

import pytest

from components.beam_worker import check_worker
from components.code_fingerprint import code_fingerprint
from models.errors import GraftError


def test_a_worker_needs_the_same_code_and_sees_the_data(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.touch()
    code = code_fingerprint("components.example_gen")
    check_worker(code, code, str(image))
    check_worker("", code, str(image))
    with pytest.raises(GraftError, match="another Graft"):
        check_worker("0" * 16, code, str(image))
    with pytest.raises(GraftError, match=r"does not see .*b\.png"):
        check_worker(code, code, str(tmp_path / "b.png"))
