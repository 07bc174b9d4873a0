"""The task of a head, from embeddings as they are kept."""

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
    train: EmbeddingSplit, validation: EmbeddingSplit, labels: tuple[str, ...]
) -> HeadTask:
    """The images of both splits whose class the model knows.

    Args:
        train: to train on.
        validation: to validate on.
        labels: class names in the order of the model's outputs.

    Raises:
        BadDataError: no image to train or to validate on.
    """
    return HeadTask(
        labelled(train, labels).known(), labelled(validation, labels).known(), len(labels)
    )
