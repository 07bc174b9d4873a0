"""The example runs as it stands, and its search starts from the table."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "foreign_past.py"


def test_the_search_starts_from_the_table(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert "theirs: The score is 'val_accuracy', the hyperparameters are lr, units, act." in printed
    tried = [line for line in printed if " with {'units': " in line]
    assert len(tried) == 6
    assert "(portfolio)" in tried[0]
    assert any(line.startswith("theirs: ") and "weight" in line for line in printed)
