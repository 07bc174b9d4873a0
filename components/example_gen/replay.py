"""Images of the last blessed model's data that join those of a run: replay.

A model that learns from new images alone forgets the classes that they do not show. Images of each
class that the last blessed model was made from, and that have left the data since, are copied from
its Examples, each into the split that it was in. What is computed of an image is kept by its
content, so that they cost next to nothing again, and the next run replays of these Examples in
turn (A. Robins, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal", 1995).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tensorflow as tf

from components.artifact_names import REPLAYED_FOLDER
from components.class_changes import class_changes, exchanged
from components.image_register import Digest, ImageRegister, read_register
from models.data import example_schema
from models.data.example_reader import dataset

_FILE: Final = "replayed_tfrecord-00000-of-00001"


@dataclass(frozen=True)
class Replay:
    """Images to be replayed.

    Attributes:
        examples_uri: of the Examples that they come from; empty for none.
        chosen: split and class of each image.
        names: old name to new name of the classes that exchanged theirs; they are in `chosen`
            under the new ones.
    """

    examples_uri: str = ""
    chosen: dict[Digest, tuple[str, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> frozenset[str]:
        """All their classes."""
        return frozenset(label for _, label in self.chosen.values())


def choose_replay(
    examples_uri: str, most: int, classes: Collection[str], own: Mapping[str, str]
) -> Replay:
    """Chooses the images, by their content, so that the same ones are chosen again.

    Where the images that the data has itself show that classes exchanged their names, the others
    follow them.

    Args:
        examples_uri: of the last blessed model's Examples; empty for none.
        most: images of each class, in all splits together.
        classes: that are wanted.
        own: hex digest to class of the images that the data has itself.
    """
    register = read_register(Path(examples_uri)) if examples_uri and most else None
    if register is None:
        return Replay()
    now = {bytes.fromhex(digest): label for digest, label in own.items()}
    names = exchanged(class_changes(register.classes, Counter(own.values()), register, now))
    taken: Counter[str] = Counter()
    chosen = {}
    for digest, (split, before) in sorted(dict(_places(register)).items()):
        label = names.get(before, before)
        if digest not in now and taken[label] < most and label in classes:
            taken[label] += 1
            chosen[digest] = split, label
    return Replay(examples_uri, chosen, names)


def replayed_classes(examples_uri: str, wanted: Collection[str] | None) -> list[str]:
    """The classes that there are images of, in alphabetical order.

    What is wanted of others does not count, so that a run is the same whatever further classes the
    schema was given.

    Args:
        examples_uri: of the last blessed model's Examples; empty for none.
        wanted: classes; None for all.
    """
    register = read_register(Path(examples_uri)) if examples_uri else None
    known = register.classes if register else ()
    return sorted(known if wanted is None else set(known).intersection(wanted))


def _places(register: ImageRegister) -> Iterator[tuple[Digest, tuple[str, str]]]:
    for row, split, label in zip(register.digests, register.splits, register.labels, strict=True):
        yield row.tobytes(), (example_schema.SPLITS[split], register.classes[label])


def write_replay(
    replay: Replay, directory: str, columns: Collection[str], groups: Collection[str]
) -> list[tuple[str, str, str]]:
    """Copies the images into the splits of an Examples artifact.

    Args:
        replay: what was chosen.
        directory: of the artifact, whose splits are there.
        columns: names of the user's columns that every image has a value of; empty where it had
            none.
        groups: of the images that the data has itself. An image of one of them is not replayed: it
            might lie on another side of the split.

    Returns:
        Hex digest, split and class of each image that was written.
    """
    written = []
    left = dict(replay.chosen)
    for split in example_schema.SPLITS if left else ():
        path = f"{directory}/Split-{split}/{_FILE}"
        with tf.io.TFRecordWriter(path) as writer:
            for content in dataset(replay.examples_uri, split).as_numpy_iterator():
                example = tf.train.Example.FromString(content)
                digest = _text(example, example_schema.SHA256)
                place = left.pop(bytes.fromhex(digest), None)
                if place is None or _text(example, example_schema.GROUP) in groups:
                    continue
                writer.write(_renamed(example, place[1], columns))
                written.append((digest, *place))
    return written


def has_replayed(examples_uri: str) -> bool:
    """Whether images of the last blessed model's data are in an Examples artifact.

    Args:
        examples_uri: of the artifact.
    """
    files = (f"{examples_uri}/Split-{split}/{_FILE}" for split in example_schema.SPLITS)
    return any(tf.io.gfile.exists(file) and tf.io.gfile.stat(file).length for file in files)


def _renamed(example: tf.train.Example, label: str, columns: Collection[str]) -> bytes:
    features = example.features.feature
    features[example_schema.LABEL].bytes_list.value[0] = label.encode()
    name = _text(example, example_schema.NAME)
    if not name.startswith(REPLAYED_FOLDER):
        features[example_schema.NAME].bytes_list.value[0] = f"{REPLAYED_FOLDER}{name}".encode()
    for column in columns:
        feature = example_schema.slice_feature(column)
        if feature not in features:
            features[feature].bytes_list.value.append(b"")
    # Python's protobuf writes map entries in the order of a salted hash unless told otherwise.
    return bytes(example.SerializeToString(deterministic=True))


def _text(example: tf.train.Example, feature: str) -> str:
    # To ask for a feature that is not there would add it.
    features = example.features.feature
    return features[feature].bytes_list.value[0].decode() if feature in features else ""
