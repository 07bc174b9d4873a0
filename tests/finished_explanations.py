"""Explanations of some answers, as the Judge leaves them."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.judge.explanations import (
    EXPLANATIONS_FILE,
    Explanation,
    save_explanations,
    worst_mistakes,
)
from components.judge.prediction_file import Predictions


def write_explanations(
    directory: Path, predictions: Predictions, picture: NDArray[np.floating]
) -> None:
    """Two mistakes and a right answer, with heat in one place; all show a picture, 0..1 [h, w]."""
    rows = [*worst_mistakes(predictions, 2), int(predictions.right.argmax())]
    heat = np.eye(4, dtype=np.float32)
    grey = np.rint(255 * picture).astype(np.uint8)
    seen = tf.io.encode_jpeg(grey[..., None]).numpy()
    found = [
        Explanation(
            name=predictions.names[row],
            truth=predictions.labels[row],
            answer=predictions.classes[predictions.probabilities[row].argmax()],
            probability=0.9,
            truth_probability=0.1,
            seen=seen,
            for_answer=heat,
            for_truth=None if predictions.right[row] else heat.T,
        )
        for row in rows
    ]
    save_explanations(directory / EXPLANATIONS_FILE, found)
