"""Comparison with the last blessed model and with the head on the frozen backbone."""

from pathlib import Path

import numpy as np

from components.artifact_names import PROBE_ANSWERS_FILE
from components.judge.checks import (
    CHANCE,
    Check,
    check_drop,
    check_gain,
    nothing_to_compare,
)
from components.judge.paired_answers import PairedAnswers
from components.judge.prediction_file import Predictions

BASELINE = "max_accuracy_drop"
FEWEST = 2
"""Classes that must be told apart."""
PROBE = "max_drop_below_probe"


def check_baseline(
    paired: PairedAnswers | None, limit: float, challenger: str
) -> tuple[Check, ...]:
    """Compares with the last blessed model, image by image.

    Args:
        paired: what both answered; None where there is no earlier model.
        limit: most accuracy that may be lost.
        challenger: what the model must be, "not_worse" or "better".

    Returns:
        The check over all images and, where there are both, those over the test images that the
        last blessed model was tested on already, and those that came since. One that passed without
        a value where there is nothing to compare with.
    """
    if paired is None:
        return (nothing_to_compare(BASELINE, limit, "No earlier model was blessed"),)
    if len(paired.new.classes) < FEWEST or not paired.new.names:
        words = f"The last blessed model cannot be compared with{_aside(paired)}"
        return (nothing_to_compare(BASELINE, limit, words),)
    old, new = paired.old.right, paired.new.right
    name = f"the last blessed model{_aside(paired)}"
    checks = [check_drop(BASELINE, name, old, new, limit)]
    if paired.was_test.any() and not paired.was_test.all():
        for part, rows, words in (
            ("old", paired.was_test, "on {} test images that it was tested on too"),
            ("new", ~paired.was_test, "on {} test images that came since"),
        ):
            beside = f"the last blessed model {words.format(int(rows.sum()))}"
            check = check_drop(
                f"{BASELINE}_{part}",
                beside,
                old[rows],
                new[rows],
                limit,
                key=BASELINE,
                # There are two of them, so each may say by chance half as often what is not.
                chance=CHANCE / 2,
            )
            checks.append(check)
    if challenger == "better" and not paired.changes:
        checks.append(check_gain("the last blessed model", old, new))
    return tuple(checks)


def _aside(paired: PairedAnswers) -> str:
    """What was left out of a comparison, in words; empty for nothing."""
    told = []
    if paired.changes:
        told.append(f"between the {len(paired.new.classes)} classes that both know")
    if paired.left_out:
        told.append(f"without {paired.left_out} test images that it had learned")
    return f" ({'; '.join(told)})" if told else ""


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
