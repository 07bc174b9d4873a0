"""A week of nightly runs: each day a span of new images, and the line that cron has.

Images of a folder are dealt out to seven days. On the third day a class comes that there was not
before, on the fifth all files are cut short, on the sixth all images are dark and grey. Each day
the line that `graft schedule --as cron` wrote is called as cron calls it, and once more, which
must find nothing to do. Of a person two decisions are asked for: to accept the new class, and to
take the damaged day away.

    ./dev bench week_of_spans --data ../shared/data/clothing/train --out benchmarks/out/week
"""

import argparse
import datetime
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image, ImageEnhance, ImageOps

_FIRST: Final = datetime.date(2026, 11, 23)
_NEW_CLASS, _DAMAGED, _DRIFTED = 3, 5, 6
_WHAT: Final = {_NEW_CLASS: "new class", _DAMAGED: "damaged", _DRIFTED: "drifted"}
_HEAD: Final = """\
| day | span | call | exit code | seconds | said | versions |
|---|---|---|---|---|---|---|"""
_CONFIG: Final = """\
workspace: work
data: {path: 'spans/{DATE}', spans: last 7}
model: {image_size: 64}
training: {strategy: feature_extraction}
tuning: {budget: 0}
monitoring: {stressed_images: 0}
"""


def main() -> None:
    """Prints a line for each call, and what is served in the end."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder per class")
    parser.add_argument("--out", type=Path, required=True, help="new folder for all of the week")
    parser.add_argument("--images", type=int, default=20, help="of each class a day")
    arguments = parser.parse_args()
    folder = arguments.out.resolve()
    folder.mkdir(parents=True)
    (folder / "graft.yaml").write_text(_CONFIG)
    graft = [str(Path(sys.executable).with_name("graft"))]
    scheduled = ["schedule", "--every", "day at 02:30", "--as", "cron", "--config", "graft.yaml"]
    subprocess.run([*graft, *scheduled, "--out", "schedule"], cwd=folder, check=True)
    line = (folder / "schedule" / "graft.cron").read_text().splitlines()[-1]
    command = line.split(maxsplit=5)[5]
    print(_HEAD)
    for day in range(1, 8):
        _add_span(arguments.data, folder, day, arguments.images)
        night = _Night(folder, command, day)
        code = night.call("the line")
        if code == 3 and day == _NEW_CLASS:
            night.call("schema accept", [*graft, "schema", "accept", "--config", "graft.yaml"])
            night.call("the line")
        if code == 3 and day == _DAMAGED:  # it would stop each night whose window holds it
            _span(folder, day).rename(folder / "taken-away")
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
        cells = [self._day, _WHAT.get(self._day, ""), name, done.returncode, f"{seconds:.0f}", said]
        print("|", " | ".join(map(str, cells)), "|", " ".join(versions), "|", flush=True)
        return done.returncode


def _span(folder: Path, day: int) -> Path:
    return folder / "spans" / (_FIRST + datetime.timedelta(days=day - 1)).isoformat()


def _add_span(data: Path, folder: Path, day: int, images: int) -> None:
    """Deals a day's images; a class that comes late brings as many as the others have."""
    labels = sorted(path.name for path in data.iterdir() if path.is_dir())
    span = _span(folder, day)
    part = span.with_suffix(".partial")
    for label in labels:
        late = label == labels[-1]
        if late and day < _NEW_CLASS:
            continue
        files = sorted(path for path in (data / label).iterdir() if path.is_file())
        days = range(day - 1, day) if not late or day > _NEW_CLASS else range(day)
        for number, file in enumerate(_dealt(files, days, images)):
            target = part / label / f"{number:03d}{file.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_changed(file, day))
    part.rename(span)


def _dealt(files: list[Path], days: range, images: int) -> Iterator[Path]:
    for day in days:
        yield from files[day * images : (day + 1) * images]


def _changed(file: Path, day: int) -> bytes:
    encoded = file.read_bytes()
    if day == _DAMAGED:
        return encoded[: len(encoded) // 2]
    if day != _DRIFTED:
        return encoded
    with Image.open(file) as opened:
        dark = ImageEnhance.Brightness(ImageOps.grayscale(opened).convert("RGB")).enhance(0.4)
    buffer = io.BytesIO()
    dark.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
