"""A nightly span of new images on top of many: what it costs against the first run.

The first run is of one large span, the second of that and of a small one. Both are the whole run,
as a scheduler calls it. On made images a head is learned, and the second run begins from the model
of the first (`training.start: champion`, which a first run passes over). With `--data`, a folder of
labelled images, all runs have the defaults, but for the size of the images; the second night, with
`--nights 2`, is the first for which answers of a network that is kept were kept, too.

    ./dev bench scale/added_span --images 5000 --new 50
    ./dev bench scale/added_span --images 1500 --new 15 --data ../shared/data/clothing
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from synthetic_images import write_images

_REACH: Final = 0.15
_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
_DEFAULTS: Final = """\
workspace: work
data: {path: 'spans/{DATE}', spans: all}
model: {image_size: %d}
"""
_HEAD_ALONE: Final = """\
training: {strategy: feature_extraction, start: champion}
tuning: {budget: 0}
"""


def main() -> None:
    """Runs both, or the one that is left to run, and prints their seconds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--new", type=int, default=50)
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--data", type=Path, help="labelled images, a folder for each class")
    parser.add_argument("--nights", type=int, choices=(1, 2), default=1, help="of new images")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/added-span"))
    options = parser.parse_args()
    source = options.data.name if options.data else "made"
    name = f"{source}-{options.images}-{options.new}-{options.image_size}"
    folder: Path = (options.out / name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    config = _DEFAULTS % options.image_size + ("" if options.data else _HEAD_ALONE)
    (folder / "graft.yaml").write_text(config)
    _write_span(folder / "spans/2026-01-01", range(options.images), options.data)
    first = _run(folder, "first")
    new = range(options.images, options.images + options.new)
    _write_span(folder / "spans/2026-01-02", new, options.data)
    second = _run(folder, "second")
    _print_costs(first, second)
    if options.nights == 2:
        new = range(new.stop, new.stop + options.new)
        _write_span(folder / "spans/2026-01-03", new, options.data)
        _print_costs(first, _run(folder, "third"))


def _print_costs(first: dict[str, Any], second: dict[str, Any]) -> None:
    for stage, cost in first["stages"].items():
        again = second["stages"].get(stage, {"seconds": 0.0})["seconds"]
        if max(cost["seconds"], again) > 1:
            print(f"{stage:18} {cost['seconds']:7.1f} s {again:7.1f} s")
    for what in ("wall", "processor"):
        print(f"{what:18} {first[what]:7.1f} s {second[what]:7.1f} s")
        print(f"ratio {second[what] / first[what]:.2f} (reach {_REACH})")


def _write_span(folder: Path, numbers: range, data: Path | None) -> None:
    if data is None:
        write_images(folder, numbers)
        return
    images = sorted(path for path in data.absolute().rglob("*") if path.suffix in _SUFFIXES)
    random.Random(0).shuffle(images)
    for path in images[numbers.start : numbers.stop]:
        place = folder / path.parent.name / f"{path.parts[-3]}-{path.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copyfile(path, place)


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
