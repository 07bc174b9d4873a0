"""Reads what a search over heads works on from an Embeddings artifact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.data import example_schema
from models.embedding import EmbeddingSplit, read_embeddings, read_info
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, fingerprint
from models.head.task_description import Origin
from models.metrics import class_indices


@dataclass(frozen=True)
class SearchData:
    """The embeddings of all splits, with class indices.

    Attributes:
        task: training and validation images of the classes that the model knows.
        test: all test images.
        test_names: their names, in order.
        origin: where the embeddings come from.
        images: SHA-256 digests of all files, hex.
    """

    task: HeadTask
    test: LabelledEmbeddings
    test_names: list[str]
    origin: Origin
    images: frozenset[str]


def read_data(uri: str, labels: tuple[str, ...]) -> SearchData:
    """Reads an Embeddings artifact.

    Args:
        uri: of the artifact.
        labels: class names in the order of the model's outputs.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    splits = {name: read_embeddings(uri, name) for name in example_schema.SPLITS}
    info = read_info(uri)
    origin = Origin(
        backbone=info.backbone,
        weights=info.weights,
        weights_digest=info.weights_digest,
        image_size=info.image_size,
        data_fingerprint=fingerprint(
            {name: (split.sha256, _labels_in_groups(split)) for name, split in splits.items()}
        ),
    )
    task = HeadTask(
        train=_labelled(splits[example_schema.TRAIN], labels).known(),
        validation=_labelled(splits[example_schema.VALIDATION], labels).known(),
        classes=len(labels),
    )
    test = splits[example_schema.TEST]
    images = frozenset(digest for split in splits.values() for digest in split.sha256.tolist())
    return SearchData(task, _labelled(test, labels), test.names.tolist(), origin, images)


def _labelled(split: EmbeddingSplit, labels: tuple[str, ...]) -> LabelledEmbeddings:
    classes = class_indices(split.labels.tolist(), labels)
    return LabelledEmbeddings(split.embeddings, classes, _group_numbers(split))


def _group_numbers(split: EmbeddingSplit) -> NDArray[np.integer] | None:
    """Equal numbers for images of one group; an image in none has a number of its own."""
    if split.groups is None:
        return None
    names, numbers = np.unique(split.groups, return_inverse=True)
    alone = split.groups == ""
    return np.where(alone, len(names) + np.arange(len(numbers)), numbers)


def _labels_in_groups(split: EmbeddingSplit) -> list[str]:
    """What tells one task from another beside the images: their labels, and groups if any."""
    labels: list[str] = split.labels.tolist()
    if split.groups is None:
        return labels
    return [f"{label}\0{group}" for label, group in zip(labels, split.groups.tolist(), strict=True)]
