"""A week of nightly runs by cron: each day a span of new images, and the line that cron has.

The week is that of `week_spans.py`. Each day the line that `graft schedule --as cron` wrote is
called as cron calls it, and once more, which must find nothing to do. Of a person two decisions are
asked for: to accept the new class, and to take the damaged day away.

    ./dev bench week/by_cron --data ../shared/data/clothing/train --out benchmarks/out/week
"""

import argparse
import datetime
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from week_spans import CONFIG, DAMAGED, DAYS, NEW_CLASS, WHAT, add_span, span

_FIRST: Final = datetime.date(2026, 11, 23)
_HEAD: Final = """\
| day | span | call | exit code | seconds | said | versions |
|---|---|---|---|---|---|---|"""


def main() -> None:
    """Prints a line for each call, and what is served in the end."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder per class")
    parser.add_argument("--out", type=Path, required=True, help="new folder for all of the week")
    parser.add_argument("--images", type=int, default=20, help="of each class a day")
    arguments = parser.parse_args()
    folder = arguments.out.resolve()
    folder.mkdir(parents=True)
    (folder / "graft.yaml").write_text(CONFIG)
    graft = [str(Path(sys.executable).with_name("graft"))]
    scheduled = ["schedule", "--every", "day at 02:30", "--as", "cron", "--config", "graft.yaml"]
    subprocess.run([*graft, *scheduled, "--out", "schedule"], cwd=folder, check=True)
    line = (folder / "schedule" / "graft.cron").read_text().splitlines()[-1]
    command = line.split(maxsplit=5)[5]
    print(_HEAD)
    for day in DAYS:
        add_span(arguments.data, span(folder, _FIRST, day), day, arguments.images)
        night = _Night(folder, command, day)
        code = night.call("the line")
        if code == 3 and day == NEW_CLASS:
            night.call("schema accept", [*graft, "schema", "accept", "--config", "graft.yaml"])
            night.call("the line")
        if code == 3 and day == DAMAGED:  # it would stop each night whose window holds it
            span(folder, _FIRST, day).rename(folder / "taken-away")
            night.call("the line")
        night.call("the line again")


class _Night:
    """The calls of one night, each printed as a row."""

    def __init__(self, folder: Path, command: str, day: int) -> None:
        self._folder, self._command, self._day = folder, command, day

    def call(self, name: str, arguments: list[str] | None = None) -> int:
        begin = time.monotonic()
        # The environment that Debian's cron gives.
        done = subprocess.run(
            arguments or ["/bin/sh", "-c", self._command],
            cwd=self._folder,
            env={"HOME": str(Path.home()), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begin
        served = self._folder / "work" / "serving" / "graft"
        versions = sorted(path.name for path in served.glob("[0-9]*"))
        said = (done.stdout.strip() or done.stderr.strip() or "nothing").splitlines()[0][:300]
        cells = [self._day, WHAT.get(self._day, ""), name, done.returncode, f"{seconds:.0f}", said]
        print("|", " | ".join(map(str, cells)), "|", " ".join(versions), "|", flush=True)
        return done.returncode


if __name__ == "__main__":
    main()
