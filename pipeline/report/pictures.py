"""Small pictures for the report, as data URIs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from models.data import example_schema
from models.data.example_reader import ImageRecord, read_records
from pipeline.report.small_picture import small_picture

MOST_CLASSES = 30
"""Number of classes of which samples are shown."""
SAMPLES = 6
"""Number of samples of each class."""
_MOST_READ = 20_000
_SAMPLE_SIDE = 72
_MISTAKE_SIDE = 128


@dataclass(frozen=True)
class Picture:
    """One image of the data.

    Attributes:
        name: of the image.
        source: data URI of a small JPEG.
    """

    name: str
    source: str


def samples(examples_uri: str, classes: Iterable[str]) -> dict[str, list[Picture]]:
    """Takes the first images of each class of the training split.

    Records are shuffled by ingest, so reading stops early; a class that is too rare to come up
    among the first records shows fewer samples.

    Args:
        examples_uri: directory of the Examples artifact.
        classes: names of the classes; the first MOST_CLASSES are shown.

    Returns:
        Class name to its pictures.
    """
    shown: dict[str, list[Picture]] = {label: [] for label in islice(classes, MOST_CLASSES)}
    missing = SAMPLES * len(shown)
    for record in islice(read_records(examples_uri, example_schema.TRAIN), _MOST_READ):
        pictures = shown.get(record.label)
        if pictures is None or len(pictures) == SAMPLES:
            continue
        pictures += _picture(record, _SAMPLE_SIDE)
        missing -= 1
        if missing == 0:
            break
    return shown


def named(examples_uri: str, split: str, names: Iterable[str]) -> dict[str, str]:
    """Finds images of a split by name.

    Returns:
        Name to data URI of a small JPEG, for those that were found and can be drawn.
    """
    wanted = set(names)
    found: dict[str, str] = {}
    for record in read_records(examples_uri, split) if wanted else ():
        if record.name in wanted:
            found |= {each.name: each.source for each in _picture(record, _MISTAKE_SIDE)}
            wanted.discard(record.name)
            if not wanted:
                break
    return found


def _picture(record: ImageRecord, side: int) -> list[Picture]:
    """Gives one picture, or none when the image cannot be drawn."""
    try:
        return [Picture(record.name, small_picture(record.image, side))]
    except (OSError, ValueError):
        return []
