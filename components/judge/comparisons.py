"""Comparison with the last blessed model and with the head on the frozen backbone."""

from pathlib import Path

import numpy as np

from components.artifact_names import PROBE_ANSWERS_FILE
from components.judge.checks import Check, check_drop, nothing_to_compare
from components.judge.predicting import model_classes, predict_split
from components.judge.prediction_file import Predictions
from models.data import example_schema

BASELINE = "max_accuracy_drop"
PROBE = "max_drop_below_probe"


def check_baseline(
    predictions: Predictions, baseline_uri: str | None, examples_uri: str, limit: float
) -> Check:
    """Lets the last blessed model answer the same test images and compares.

    Args:
        predictions: of the model that is judged, on the test split.
        baseline_uri: directory of the last blessed Model artifact; None where there is none.
        examples_uri: directory of the Examples artifact.
        limit: most accuracy that may be lost.

    Returns:
        The check; passed without a value where there is nothing to compare with.
    """
    if baseline_uri is None:
        return nothing_to_compare(BASELINE, limit, "No earlier model was blessed")
    known = model_classes(baseline_uri)
    if set(known) != set(predictions.classes):
        added = sorted(set(predictions.classes) - set(known))
        removed = sorted(set(known) - set(predictions.classes))
        words = (
            "The last blessed model tells other classes, so it is not compared "
            f"({len(added)} new, {len(removed)} gone)"
        )
        return nothing_to_compare(BASELINE, limit, words)
    baseline = predict_split(baseline_uri, examples_uri, example_schema.TEST)
    return check_drop(BASELINE, "the last blessed model", baseline.right, predictions.right, limit)


def probe_predictions(model_uri: str, predictions: Predictions) -> Predictions | None:
    """Reads what the head on the frozen backbone answers on the same images.

    Args:
        model_uri: directory of the Model artifact.
        predictions: of the model that is judged; gives labels, classes and the order.

    Returns:
        The probe's answers; None where it has none, or not for all of these images.
    """
    path = Path(model_uri) / PROBE_ANSWERS_FILE
    if not path.exists():
        return None
    with np.load(path) as arrays:
        row = {str(name): index for index, name in enumerate(arrays["names"])}
        probabilities = arrays["probabilities"]
    if not set(predictions.names) <= set(row):
        return None
    order = [row[name] for name in predictions.names]
    return Predictions(
        predictions.names, predictions.labels, predictions.classes, probabilities[order]
    )


def check_probe(predictions: Predictions, probe: Predictions | None, limit: float) -> Check:
    """Compares with the head on the frozen backbone: worse than it means negative transfer."""
    if probe is None:
        words = "The search left no answers of the head on the frozen backbone"
        return nothing_to_compare(PROBE, limit, words)
    return check_drop(
        PROBE, "the head on the frozen backbone", probe.right, predictions.right, limit
    )
