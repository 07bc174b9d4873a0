"""The task of a head, from embeddings as they are kept."""

from collections.abc import Collection

import numpy as np

from models.embedding import EmbeddingSplit
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.metrics import class_indices


def labelled(split: EmbeddingSplit, labels: tuple[str, ...]) -> LabelledEmbeddings:
    """Embeddings with class indices.

    Args:
        split: n images.
        labels: class names in the order of the model's outputs.
    """
    return LabelledEmbeddings(split.embeddings, class_indices(split.labels.tolist(), labels))


def embedded_task(
    train: EmbeddingSplit,
    validation: EmbeddingSplit,
    labels: tuple[str, ...],
    left_out: Collection[str] = (),
) -> HeadTask:
    """The images of both splits whose class the model knows.

    Args:
        train: to train on.
        validation: to validate on.
        labels: class names in the order of the model's outputs.
        left_out: names of images of either split that are in neither.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    kept, held = (_without(split, labels, left_out) for split in (train, validation))
    return HeadTask(kept.known(), held.known(), len(labels))


def _without(
    split: EmbeddingSplit, labels: tuple[str, ...], left_out: Collection[str]
) -> LabelledEmbeddings:
    rows = labelled(split, labels)
    return rows.rows(~np.isin(split.names, list(left_out))) if left_out else rows
