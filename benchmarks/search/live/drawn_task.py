"""A task of the live comparison: images of a folder, drawn into three splits once for all arms."""

import hashlib
import math
import random
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.search.small_task import LabelledFile, SmallTask, write_examples
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve
from models.data.example_schema import TEST, TRAIN, VALIDATION
from models.errors import BadDataError

_KINDS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
"""What the script of Keras' guide reads, so that all arms see the same images."""
_TEST_SHARE = 0.25
"""Of the images of a class, where the folder has no test split."""
_VALIDATION_SHARE = 0.2
"""Of what is left."""


@dataclass(frozen=True)
class DrawnTask:
    """A task on disk.

    Attributes:
        name: of the folder.
        files: the splits.
        digest: of all its images and the splits that they are in.
    """

    name: str
    files: SmallTask
    digest: str


def draw_task(
    data: Path, seed: int, *, images_a_class: int | None = None, most_test: int = 1000
) -> DrawnTask:
    """Draws the splits, each class by itself, so that all have their share of it.

    An image that is there more than once is taken once: no test image was trained on.

    Args:
        data: folder with a folder per class, or with splits of these. A test split stays apart;
            training and validation images are drawn anew from all others.
        seed: of what is drawn.
        images_a_class: to train and validate on together, at most; None for all.
        most_test: images to test on, at most.

    Raises:
        BadDataError: a class has fewer than two images to train and validate on, or none to test.
    """
    own, tests = _by_class(data, random.Random(f"{data.name} {seed}"))
    labels = tuple(sorted(own))
    each_test = max(1, most_test // max(1, len(labels)))
    train: list[LabelledFile] = []
    validation: list[LabelledFile] = []
    test: list[LabelledFile] = []
    for label in labels:
        files, apart = own[label], tests.get(label, [])
        if not tests:
            border = min(each_test, math.ceil(len(files) * _TEST_SHARE))
            files, apart = files[border:], files[:border]
        files = files[:images_a_class]
        if len(files) < 2 or not apart:
            raise BadDataError(
                f"Class {label!r} of {data} has {len(files)} images to train and validate on and "
                f"{len(apart)} to test on. Expected at least 2 and 1: add images or leave it out."
            )
        border = max(1, round(len(files) * _VALIDATION_SHARE))
        validation += files[:border]
        train += files[border:]
        test += apart[:each_test]
    drawn = SmallTask(labels, tuple(train), tuple(validation), tuple(test))
    return DrawnTask(data.name, drawn, _digest(drawn))


def write_task(task: DrawnTask, folder: Path) -> None:
    """Writes a task as Examples, and as folders of links for the script of Keras' guide.

    Args:
        task: to write.
        folder: is complete when it is there; then it is left as it is.
    """
    if folder.exists():
        return
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    splits = {TRAIN: task.files.train, VALIDATION: task.files.validation, TEST: task.files.test}
    for split, files in splits.items():
        for number, file in enumerate(files):
            place = partial / "images" / split / f"{task.files.labels.index(file.label):04}"
            place.mkdir(parents=True, exist_ok=True)
            # Numbered: two folders of one class may hold the same name.
            (place / f"{number:06}{file.path.suffix.lower()}").symlink_to(file.path.absolute())
    write_examples(partial / "examples", splits)
    partial.rename(folder)


def _by_class(
    data: Path, draw: random.Random
) -> tuple[dict[str, list[LabelledFile]], dict[str, list[LabelledFile]]]:
    """Shuffled files of each class, those of the test split apart."""
    listed = list_source(resolve(str(data))[-1].path, IngestSettings()).files
    files = sorted(
        (each for each in listed if Path(each.path).suffix.lower() in _KINDS),
        # Test images first: of two copies that is the one to keep.
        key=lambda each: (each.split != TEST, each.path),
    )
    seen: set[bytes] = set()
    own: dict[str, list[LabelledFile]] = defaultdict(list)
    tests: dict[str, list[LabelledFile]] = defaultdict(list)
    for file in files:
        digest = hashlib.sha256(Path(file.path).read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            part = tests if file.split == TEST else own
            part[file.label].append(LabelledFile(file.label, Path(file.path)))
    for part in (own, tests):
        for label in sorted(part):
            draw.shuffle(part[label])
    return own, tests


def _digest(files: SmallTask) -> str:
    lines = [
        f"{number} {file.label} {hashlib.sha256(file.path.read_bytes()).hexdigest()}"
        for number, part in enumerate((files.train, files.validation, files.test))
        for file in part
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
