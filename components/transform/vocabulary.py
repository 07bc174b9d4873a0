"""Reads the label vocabulary that Transform learned."""

import tensorflow_transform as tft

from components.transform.preprocessing import VOCABULARY
from models.data.class_labels import read_labels


def labels_from_transform_graph(uri: str) -> tuple[str, ...]:
    """Class names in the order of the model's outputs.

    TFX Transform writes them by descending frequency; the order is made in
    `models.data.class_labels`, the one place that decides it.

    Args:
        uri: of a TransformGraph artifact.

    Raises:
        BadDataError: there are fewer than two classes.
    """
    return read_labels(tft.TFTransformOutput(uri).vocabulary_file_by_name(VOCABULARY))
