"""Figure 4: what a run costs in which nothing changed, imports included.

Runs `graft run` on scikit-learn's digits twice in one workspace and measures the second, which is
cached throughout. Reach: under 15 s on two cores. Then `graft run --if-needed`, which finds that no
run is needed. Reach: 1.5 s.

    ./dev bench overhead
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline.demo import write_digits


def _run(command: list[str]) -> tuple[float, dict[str, Any]]:
    begin = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.monotonic() - begin, json.loads(done.stdout)


def _not_needed(command: list[str]) -> float:
    """Seconds until `--if-needed` says that there is nothing to do."""
    seconds, summary = _run([*command, "--if-needed"])
    if summary["status"] != "not_needed":
        raise SystemExit(f"Expected a run that is not needed; got {summary['status']}.")
    return seconds


def _imports() -> float:
    """Seconds that importing the pipeline takes in a fresh interpreter."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "import pipeline.dag"], check=True, capture_output=True)
    return time.monotonic() - begin


def main() -> None:
    """Prints the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="cached runs to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graft-overhead-") as folder:
        data = Path(folder) / "digits"
        write_digits(data)
        command = [sys.executable, "-m", "pipeline.cli", "run", "--json", "--data", str(data),
                   "--workspace", str(Path(folder) / "workspace"), "--image-size", "32",
                   "--trials", "2", "--strategy", "feature_extraction"]  # fmt: skip
        first_seconds, _ = _run(command)
        runs = [_run(command) for _ in range(options.repeats)]
        not_needed = min(_not_needed(command) for _ in range(options.repeats))
    seconds, summary = min(runs, key=lambda run: run[0])
    stages = sum(stage["seconds"] for stage in summary["stages"].values())
    imports = min(_imports() for _ in range(options.repeats))
    result = {
        "first_run_seconds": round(first_seconds, 1),
        "cached_run_seconds": round(seconds, 1),
        "cached_stages": sum(stage["cached"] for stage in summary["stages"].values()),
        "stages": len(summary["stages"]),
        "split": {
            "imports": round(imports, 1),
            "stages": round(stages, 1),
            "report and the rest": round(seconds - imports - stages, 1),
        },
        "ratio": round(seconds / first_seconds, 3),
        "not_needed_seconds": round(not_needed, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
