"""Reads what a training works on from an Embeddings artifact."""

from collections.abc import Collection
from dataclasses import dataclass

from models.data import example_schema
from models.embedding import EmbeddingInfo, EmbeddingSplit, read_embeddings, read_info
from models.head.embedded_task import embedded_task, labelled
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, fingerprint


@dataclass(frozen=True)
class EmbeddedData:
    """The embeddings of all splits, with class indices.

    Attributes:
        task: training and validation images of the classes that the model knows.
        test: all test images.
        test_names: their names, in order.
        info: how the embeddings came about.
        fingerprint: of which images with which labels are in which split.
    """

    task: HeadTask
    test: LabelledEmbeddings
    test_names: list[str]
    info: EmbeddingInfo
    fingerprint: str


def read_data(uri: str, labels: tuple[str, ...], left_out: Collection[str] = ()) -> EmbeddedData:
    """Reads an Embeddings artifact.

    Args:
        uri: of the artifact.
        labels: class names in the order of the model's outputs.
        left_out: names of images that are neither trained nor validated on.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    splits = {name: read_embeddings(uri, name) for name in example_schema.SPLITS}
    info = read_info(uri)
    task = embedded_task(
        splits[example_schema.TRAIN], splits[example_schema.VALIDATION], labels, left_out
    )
    test = splits[example_schema.TEST]
    return EmbeddedData(
        task=task,
        test=labelled(test, labels),
        test_names=test.names.tolist(),
        info=info,
        fingerprint=fingerprint(
            {name: (split.sha256, _labels_in_groups(split)) for name, split in splits.items()}
        ),
    )


def _labels_in_groups(split: EmbeddingSplit) -> list[str]:
    """What tells one task from another beside the images: their labels, and groups if any."""
    labels: list[str] = split.labels.tolist()
    if split.groups is None:
        return labels
    return [f"{label}\0{group}" for label, group in zip(labels, split.groups.tolist(), strict=True)]
