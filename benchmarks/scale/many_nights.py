"""Many scheduled runs, one a night: does the workspace stay as large as it is?

Each night a span of new photos comes (`synthetic_images.py`), and the line that a scheduler has is
called until it ends by itself. Every tenth night (`--kill-every`) the run is first killed by
`kill -9`, at a moment that is drawn. A span may be pushed once at the most, whatever was killed.
Stopped, the same command goes on with the next night.

    ./dev bench scale/many_nights --nights 40
"""

import argparse
import datetime
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from synthetic_images import write_images

_FIRST: Final = datetime.date(2026, 1, 1)
_SETTLED: Final = 20
"""Nights after which the workspace has what retention lets it have."""
_REACH: Final = 1.2
_STATE: Final = "nights.json"
_CONFIG: Final = """\
workspace: work
data: {path: 'spans/{DATE}', spans: last 3}
model: {image_size: 32}
training: {strategy: feature_extraction}
tuning: {budget: 0}
monitoring: {stressed_images: 0}
retention: {runs: 5, versions: 3, cache_gigabytes: 0.01}
"""


def main() -> None:
    """Runs the nights that are still to come, and prints what all of them came to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--nights", type=int, default=40)
    parser.add_argument("--images", type=int, default=100, help="that come in a night")
    parser.add_argument("--kill-every", type=int, default=10, metavar="NIGHTS")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/nights"))
    options = parser.parse_args()
    folder: Path = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graft.yaml").write_text(_CONFIG)
    nights = _nights(folder)
    for number in range(len(nights), options.nights):
        images = range(number * options.images, (number + 1) * options.images)
        write_images(folder / "spans" / _day(number), images)
        is_killed = nights and (number + 1) % options.kill_every == 0
        kill_after = _moment(number, nights) if is_killed else 0.0
        nights.append(_night(folder, number, kill_after))
        (folder / _STATE).write_text(json.dumps(nights, indent=2))
        print(*(f"{key} {value}" for key, value in nights[-1].items()), flush=True)
    _print_outcome(nights)


def _night(folder: Path, number: int, kill_after: float) -> dict[str, Any]:
    kills = int(kill_after > 0 and _call(folder, kill_after) is None)
    begin = time.monotonic()
    code = _call(folder)
    served = [int(path.name) for path in (folder / "work/serving/graft").glob("[0-9]*")]
    return {
        "night": number + 1,
        "code": code,
        "kills": kills,
        "killed_after": round(kill_after, 1),
        "seconds": round(time.monotonic() - begin, 1),
        "version": max(served, default=0),
        "megabytes": round(_bytes(folder / "work") / 1e6, 2),
        "metadata_kb": round((folder / "work/metadata.sqlite").stat().st_size / 1e3),
    }


def _moment(number: int, before: list[dict[str, Any]]) -> float:
    """Seconds after which this night's run is killed."""
    usual = min(night["seconds"] for night in before)
    return random.Random(number).uniform(0.2, 1.0) * float(usual)


def _call(folder: Path, kill_after: float | None = None) -> int | None:
    """The exit code; None where it was killed."""
    graft = str(Path(sys.executable).with_name("graft"))
    command = [graft, "run", "--config", "graft.yaml", "--if-needed", "--wait"]
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None


def _day(number: int) -> str:
    return (_FIRST + datetime.timedelta(days=number)).isoformat()


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _nights(folder: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((folder / _STATE).read_bytes())
    except FileNotFoundError:
        return []
    return found


def _print_outcome(nights: list[dict[str, Any]]) -> None:
    print(f"{len(nights)} nights, {sum(night['kills'] for night in nights)} kills")
    print(f"pushed by a night, at the most: {max(_pushes(nights))}")
    if len(nights) > _SETTLED:
        for key in ("megabytes", "metadata_kb"):
            then, now = nights[_SETTLED - 1][key], nights[-1][key]
            print(f"{key}: {then} after {_SETTLED}, {now} now: {now / then:.2f} (reach {_REACH})")


def _pushes(nights: list[dict[str, Any]]) -> Iterator[int]:
    version = 0
    for night in nights:
        yield night["version"] - version
        version = night["version"]


if __name__ == "__main__":
    main()
