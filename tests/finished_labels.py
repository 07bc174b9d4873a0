"""The labels that look wrong in a run that has ended, and a column of its manifest."""

from collections.abc import Sequence

import numpy as np

from components.judge.prediction_file import Predictions
from components.label_check.label_errors_file import DoubtfulLabel, FoundLabelErrors


def found_labels(names: Sequence[str], labels: Sequence[str], suggested: str) -> FoundLabelErrors:
    """Three doubtful images, two of them with a label that is taken for wrong.

    Args:
        names: of all images, the first 400 for training.
        labels: of these.
        suggested: what all three look like.
    """
    doubtful = [
        DoubtfulLabel(
            name=names[row],
            split="train" if row < 400 else "validation",
            label=labels[row],
            suggested=suggested,
            suggested_probability=0.9,
            label_probability=0.02,
            is_suspect=row != 7,
        )
        for row in (2, 7, 450)
    ]
    return FoundLabelErrors(
        examples="ImageExampleGen/examples/1",
        images=490,
        unchecked=10,
        suspects=2,
        reason=f"they look like {suggested}",
        left_out=(names[2],),
        doubtful=tuple(doubtful),
    )


def sites(predictions: Predictions, worst: str) -> np.ndarray:
    """Where each test image was taken: most that are answered wrongly at the worst of two sites."""
    site = np.where(np.arange(len(predictions.names)) % 2, "north", worst).astype(object)
    site[np.flatnonzero(~predictions.right)[::2]] = worst
    return site
