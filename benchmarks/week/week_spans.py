"""The spans of a week, dealt out from a folder of labelled images.

On the third day a class comes that there was not before, on the fifth all files are cut short, on
the sixth all images are dark and grey.
"""

import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image, ImageEnhance, ImageOps

DAYS: Final = range(1, 8)
NEW_CLASS, DAMAGED, DRIFTED = 3, 5, 6
WHAT: Final = {NEW_CLASS: "new class", DAMAGED: "damaged", DRIFTED: "drifted"}
CONFIG: Final = """\
workspace: work
data: {path: 'spans/{DATE}', spans: last 7}
model: {image_size: 64}
training: {strategy: feature_extraction}
tuning: {budget: 0}
monitoring: {stressed_images: 0}
"""


def span(folder: Path, first: datetime.date, day: int) -> Path:
    """Where the span of a day lies.

    Args:
        folder: of the week.
        first: its first day.
        day: 1 to 7.
    """
    return folder / "spans" / (first + datetime.timedelta(days=day - 1)).isoformat()


def add_span(data: Path, target: Path, day: int, images: int) -> None:
    """Deals a day's images; a class that comes late brings as many as the others have.

    Args:
        data: folder with a folder for each class.
        target: where the span is to lie.
        day: 1 to 7.
        images: of each class.
    """
    labels = sorted(path.name for path in data.iterdir() if path.is_dir())
    part = target.with_suffix(".partial")
    for label in labels:
        late = label == labels[-1]
        if late and day < NEW_CLASS:
            continue
        files = sorted(path for path in (data / label).iterdir() if path.is_file())
        days = range(day - 1, day) if not late or day > NEW_CLASS else range(day)
        for number, file in enumerate(_dealt(files, days, images)):
            copy = part / label / f"{number:03d}{file.suffix}"
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(_changed(file, day))
    part.rename(target)


def _dealt(files: list[Path], days: range, images: int) -> Iterator[Path]:
    for day in days:
        yield from files[day * images : (day + 1) * images]


def _changed(file: Path, day: int) -> bytes:
    encoded = file.read_bytes()
    if day == DAMAGED:
        return encoded[: len(encoded) // 2]
    if day != DRIFTED:
        return encoded
    with Image.open(file) as opened:
        dark = ImageEnhance.Brightness(ImageOps.grayscale(opened).convert("RGB")).enhance(0.4)
    buffer = io.BytesIO()
    dark.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
