"""Small tasks out of a data set: some images a class, as the Examples that training reads."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve
from models.data import example_schema
from models.data.example_schema import TEST


@dataclass(frozen=True)
class LabelledFile:
    """An image: its label, and where it lies."""

    label: str
    path: Path


@dataclass(frozen=True)
class SmallTask:
    """The images of a task.

    Attributes:
        labels: in the order of the outputs.
        train: to train on.
        validation: to validate on.
        test: to judge on; none of the others.
    """

    labels: tuple[str, ...]
    train: tuple[LabelledFile, ...]
    validation: tuple[LabelledFile, ...]
    test: tuple[LabelledFile, ...] = ()

    @property
    def every(self) -> tuple[LabelledFile, ...]:
        """All images."""
        return (*self.train, *self.validation, *self.test)


def split_files(
    data: Path,
    images_a_class: int,
    validation: int,
    most_classes: int,
    *,
    test: int = 0,
    seed: int = 0,
) -> SmallTask:
    """Draws a task from a folder.

    Args:
        data: folder with a folder per class, or with splits of these. Where there is a test split,
            test images are its own, and no others are taken from it.
        images_a_class: to train on, at most.
        validation: images to validate on, at most, evenly over the classes.
        most_classes: the first in alphabetical order are taken.
        test: images to judge on, at most.
        seed: of what is drawn.
    """
    files = list_source(resolve(str(data))[-1].path, IngestSettings()).files
    draw = random.Random(f"{data.name} {seed}")
    shuffled = sorted(files, key=lambda each: each.path)
    draw.shuffle(shuffled)
    by_class: dict[str, list[LabelledFile]] = defaultdict(list)
    tests: dict[str, list[LabelledFile]] = defaultdict(list)
    for file in shuffled:
        place = tests if file.split == TEST else by_class
        place[file.label].append(LabelledFile(file.label, Path(file.path)))
    labels = tuple(sorted(by_class))[:most_classes]
    each_validation, each_test = validation // len(labels), test // len(labels)
    parts: tuple[list[LabelledFile], ...] = ([], [], [])
    for label in labels:
        own = by_class[label]
        # Half of a small class is for training all the same.
        border = min(images_a_class, max(1, len(own) // 2))
        middle = border + min(each_validation, max(1, (len(own) - border) // 2))
        parts[0].extend(own[:border])
        parts[1].extend(own[border:middle])
        parts[2].extend((tests[label] or own[middle:])[:each_test])
    for part in parts:
        draw.shuffle(part)
    return SmallTask(labels, *map(tuple, parts))


def first_of_each(
    files: Sequence[LabelledFile], count: int
) -> tuple[tuple[LabelledFile, ...], tuple[LabelledFile, ...]]:
    """The first so many images of each class, and the others; both in their order."""
    seen: dict[str, int] = defaultdict(int)
    parts: tuple[list[LabelledFile], list[LabelledFile]] = [], []
    for file in files:
        seen[file.label] += 1
        parts[seen[file.label] > count].append(file)
    return tuple(parts[0]), tuple(parts[1])


def write_examples(folder: Path, splits: Mapping[str, Sequence[LabelledFile]]) -> None:
    """Writes splits, by their names, as Examples; the folder is complete when it is there."""
    partial = folder.with_name(f"{folder.name}.partial")
    for split, files in splits.items():
        place = partial / f"Split-{split}"
        place.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(place / "data-00000-of-00001")) as writer:
            for file in files:
                writer.write(_example(file))
    partial.rename(folder)


def _example(file: LabelledFile) -> bytes:
    image = file.path.read_bytes()
    values = {
        example_schema.IMAGE: image,
        example_schema.LABEL: file.label.encode(),
        example_schema.NAME: f"{file.path.parent.name}/{file.path.name}".encode(),
        example_schema.SHA256: hashlib.sha256(image).hexdigest().encode(),
    }
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString())
