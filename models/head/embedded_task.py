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
        left_out: names of training images that are not trained on.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    kept = labelled(train, labels)
    if left_out:
        kept = kept.rows(~np.isin(train.names, list(left_out)))
    return HeadTask(kept.known(), labelled(validation, labels).known(), len(labels))
