"""A nightly span of new images on top of many: what it costs against the first run.

The first run is of one large span, the second of that and of a small one. Both are the whole run,
as a scheduler calls it. The second begins from the model of the first (`training.start: champion`,
which a first run passes over).

    ./dev bench scale/added_span --images 5000 --new 50
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from synthetic_images import write_images

_REACH: Final = 0.15
_CONFIG: Final = """\
workspace: work
data: {path: 'spans/{DATE}', spans: all}
model: {image_size: %d}
training: {strategy: feature_extraction, start: champion}
tuning: {budget: 0}
"""


def main() -> None:
    """Runs both, or the one that is left to run, and prints their seconds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--new", type=int, default=50)
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/added-span"))
    options = parser.parse_args()
    name = f"{options.images}-{options.new}-{options.image_size}"
    folder: Path = (options.out / name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graft.yaml").write_text(_CONFIG % options.image_size)
    write_images(folder / "spans/2026-01-01", range(options.images))
    first = _run(folder, "first")
    write_images(folder / "spans/2026-01-02", range(options.images, options.images + options.new))
    second = _run(folder, "second")
    for stage, cost in first["stages"].items():
        again = second["stages"].get(stage, {"seconds": 0.0})["seconds"]
        if max(cost["seconds"], again) > 1:
            print(f"{stage:18} {cost['seconds']:7.1f} s {again:7.1f} s")
    for what in ("wall", "processor"):
        print(f"{what:18} {first[what]:7.1f} s {second[what]:7.1f} s")
        print(f"ratio {second[what] / first[what]:.2f} (reach {_REACH})")


def _run(folder: Path, name: str) -> dict[str, Any]:
    """The summary of a run, with its wall and processor time; of an earlier call, if it ended."""
    result = folder / f"{name}.json"
    if not result.exists():
        command = [str(Path(sys.executable).with_name("graft")), "run", "--json"]
        begin, used = time.monotonic(), _used()
        done = subprocess.run(
            [*command, "--config", "graft.yaml"], cwd=folder, stdout=subprocess.PIPE, check=True
        )
        costs = {"wall": time.monotonic() - begin, "processor": _used() - used}
        result.write_text(json.dumps(json.loads(done.stdout) | costs))
    found: dict[str, Any] = json.loads(result.read_bytes())
    return found


def _used() -> float:
    """Seconds of all processors that the runs took so far, with all that they started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
