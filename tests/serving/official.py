"""TensorFlow Serving's own Python test, with `graft-model-server` in the place of its binary.

    git clone --depth 1 https://github.com/tensorflow/serving
    python tests/serving/official.py serving

runs every case of `tensorflow_model_server_test.py`, or those named after the checkout, on the
models of that checkout, and says which passed. Each case has a process of its own: all their
servers listen on one Unix socket, so that together they would ask each other's models.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 180
# The test is not installed with its messages, and reads `os` where TensorFlow no longer has it.
_START: Final = """
import os, runpy, sys
import tensorflow_serving
from tensorflow.python.platform import flags
flags.os = os
sys.argv = sys.argv[1:]
tensorflow_serving.__path__.append(sys.argv[0])
runpy.run_path(f"{sys.argv[0]}/model_servers/tensorflow_model_server_test.py", run_name="__main__")
"""


def main(checkout: Path, *chosen: str) -> None:
    """Runs the cases and prints what came of each, and how many passed."""
    package = (checkout / "tensorflow_serving").resolve()
    test = package / "model_servers" / "tensorflow_model_server_test.py"
    cases = chosen or re.findall(r"def (test\w+)", test.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder)
        _lay_out(sources / "tf_serving" / "tensorflow_serving", package)
        passed = [_passes(package, sources, case) for case in cases]
    print(f"{sum(passed)} of {len(cases)} passed")


def _lay_out(place: Path, package: Path) -> None:
    """The files that the test looks for, as its build would lay them out."""
    (place / "model_servers").mkdir(parents=True)
    (place / "servables").symlink_to(package / "servables")
    binary = place / "model_servers" / "tensorflow_model_server"
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m serving "$@"\n', encoding="utf-8")
    binary.chmod(0o755)


def _passes(package: Path, sources: Path, case: str) -> bool:
    environment = os.environ | {
        "TEST_SRCDIR": str(sources),
        "PYTHONPATH": str(ROOT),
        # The test names the inputs and outputs of its models as Keras 2 does.
        "TF_USE_LEGACY_KERAS": "1",
    }
    command = [sys.executable, "-c", _START, str(package), f"TensorflowModelServerTest.{case}"]
    with tempfile.TemporaryDirectory() as own:
        environment["TEST_TMPDIR"] = own
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    is_passed = ended.returncode == 0
    telling = r"^.*(?:Error: (?!<)|details = |does not load|Waiting for).*$"
    details = re.findall(telling, ended.stderr, re.MULTILINE)
    print(f"{'passed' if is_passed else 'FAILED'} {case}", flush=True)
    for line in [] if is_passed else details:
        print(f"    {line.strip()[:200]}", flush=True)
    return is_passed


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
