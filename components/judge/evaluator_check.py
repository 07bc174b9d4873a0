"""What the Evaluator (TensorFlow Model Analysis) found, as one of the Judge's checks."""

from pathlib import Path

import tensorflow_model_analysis as tfma

from components.evaluation.eval_config import ACCURACY
from components.judge.checks import Check
from models.intervals import interval_of
from models.number_text import interval_text

NAME = "evaluator"


def check_evaluator(evaluation_uri: str, accuracy: float, images: int) -> Check:
    """Repeats what TFMA's value thresholds said, and checks that it saw the model that Judge saw.

    TFMA asks the model's `evaluate` signature, the Judge the one that is served: different
    figures mean that the model would not answer in production as it did in evaluation.

    Args:
        evaluation_uri: directory of the ModelEvaluation artifact.
        accuracy: what the Judge measured, in 0..1.
        images: the number of images that it was measured on.

    Returns:
        The check; its value is TFMA's accuracy.
    """
    measured = _overall_accuracy(evaluation_uri)
    if measured is None:
        return Check(NAME, False, None, None, "TFMA measured no accuracy")
    # A near tie may fall on the other side where two graphs round differently.
    tolerance = max(1.5 / images, 0.005)
    if abs(measured - accuracy) > tolerance:
        words = (
            f"TFMA measured accuracy {measured:.3f} through the evaluate signature, but the "
            f"signature that is served reaches {accuracy:.3f}: they do not compute the same"
        )
        return Check(NAME, False, measured, None, words)
    failures = _failures(evaluation_uri)
    if failures:
        words = f"TFMA's thresholds failed for {', '.join(failures)}"
        return Check(NAME, False, measured, None, words)
    interval = interval_of(measured, images)
    words = (
        f"TFMA measured accuracy {measured:.3f} {interval_text(interval)} and its thresholds passed"
    )
    return Check(NAME, True, measured, None, words, interval)


def _overall_accuracy(evaluation_uri: str) -> float | None:
    result = tfma.load_eval_result(evaluation_uri)
    for slice_key, outputs in result.slicing_metrics:
        if not slice_key:
            value = outputs[""][""].get(ACCURACY, {}).get("doubleValue")
            return None if value is None else float(value)
    return None


def _failures(evaluation_uri: str) -> list[str]:
    """Gives the names of the metrics that are out of bounds."""
    if not (Path(evaluation_uri) / "validations.tfrecord").exists():
        return []
    validation = tfma.load_validation_result(evaluation_uri)
    return sorted(
        {
            failure.metric_key.name
            for each in validation.metric_validations_per_slice
            for failure in each.failures
        }
    )
