"""Figure 1: Graft's whole run against a script that follows Keras' transfer-learning guide.

Both train EfficientNetLite0 on the same folder (train/, validation/, test/ above a folder per
class), from a cold start, imports included. Graft validates, searches, trains,
evaluates, proves that the model serves, and pushes; the script (`keras_guide.py`) trains 20
epochs on the frozen base and 10 with all of it. Reach: at most 0.6 of the script's wall time, a
test accuracy at least as high, and 0.85 or better on the clothing photos.

    ./dev bench whole_run --data DIR
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_GUIDE = Path(__file__).with_name("keras_guide.py")


def _graft(data: Path, image_size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="graft-whole-run-") as workspace:
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "run", "--json", "--data", str(data),
             "--workspace", workspace, "--image-size", str(image_size)],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        seconds = time.monotonic() - begin
    summary = json.loads(done.stdout)
    return {
        "seconds": round(seconds, 1),
        "test_accuracy": summary["metrics"]["accuracy"],
        "probe_accuracy": summary["metrics"]["probe_accuracy"],
        "status": summary["status"],
        "stages": {name: stage["seconds"] for name, stage in summary["stages"].items()},
    }


def _guide(data: Path, image_size: int) -> dict[str, Any]:
    command = [sys.executable, str(_GUIDE), "--data", str(data), "--image-size", str(image_size)]
    begin = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - begin
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {"seconds": round(seconds, 1)}


def main() -> None:
    """Runs both and prints a line of JSON for each, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=160)
    options = parser.parse_args()
    graft = _graft(options.data, options.image_size)
    print(json.dumps({"graft": graft}), flush=True)
    guide = _guide(options.data, options.image_size)
    print(json.dumps({"guide": guide}), flush=True)
    ratio = graft["seconds"] / guide["seconds"]
    gain = graft["test_accuracy"] - guide["test_accuracy"]
    print(json.dumps({"time_ratio": round(ratio, 3), "accuracy_gain": round(gain, 4)}))


if __name__ == "__main__":
    main()
