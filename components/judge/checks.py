"""The checks that a model must pass before it is pushed, each with its reason in words.

A drop of accuracy fails only when it is larger than the limit *and* larger than chance explains:
the two models answer the same images, so the exact one-sided McNemar test on the images where
they differ says how probable such a drop is between equally good models. Above CHANCE the drop is
reported and let pass. Without this, a limit of 0.01 on 300 test images would refuse about every
fifth of two equally good models.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.intervals import Interval
from models.metrics import Quality, paired_drop
from models.number_text import figure_text, interval_text
from models.wording import listed

_SHOWN = 5
CHANCE = 0.1
"""A drop that is this probable by chance, or more, is not called a regression."""


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: key of the limit in the configuration, or "evaluator"; of a further label column that
            key or "further_labels", a slash and the column.
        passed: whether the model may be pushed as far as this check is concerned.
        value: what was measured; None where there was nothing to compare with.
        limit: what was allowed; None where the check has none.
        words: one sentence without its full stop.
        interval: the 95 % interval of `value`; None where it has none.
    """

    name: str
    passed: bool
    value: float | None
    limit: float | None
    words: str
    interval: Interval | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be pushed, and why: `reason` is one sentence."""

    blessed: bool
    reason: str
    checks: tuple[Check, ...]


def verdict(checks: tuple[Check, ...]) -> Verdict:
    """Blesses when every check passed; the reason names the accuracy or whatever failed."""
    failed = [check for check in checks if not check.passed]
    if failed:
        return Verdict(False, "; ".join(check.words for check in failed) + ".", checks)
    return Verdict(True, f"{checks[0].words}; all {len(checks)} checks passed.", checks)


def check_accuracy(quality: Quality, limit: float, aside: str = "") -> Check:
    """Compares the accuracy over all test images with the least allowed.

    Args:
        quality: of the model.
        limit: least accuracy.
        aside: said behind the figure, whether the check is passed or not.
    """
    passed = quality.accuracy >= limit
    interval = quality.accuracy_interval
    words = (
        f"Accuracy {quality.accuracy:.3f} {interval_text(interval)} on {quality.images} test images"
        f"{aside}"
    )
    if not passed:
        words += f", below the least allowed, {limit:g} (evaluation.min_accuracy)"
    return Check("min_accuracy", passed, quality.accuracy, limit, words, interval)


def check_class_recall(quality: Quality, limit: float) -> Check:
    """Compares the recall of the worst class with the least allowed."""
    recalls = {each.label: each.recall for each in quality.classes if each.recall is not None}
    if not recalls:
        words = "No class of the model has a test image, so recall says nothing"
        return Check("min_class_recall", limit == 0, None, limit, words)
    worst = min(recalls, key=lambda label: recalls[label])
    below = [label for label, recall in recalls.items() if recall < limit]
    (interval,) = [each.recall_interval for each in quality.classes if each.label == worst]
    words = f"The lowest recall is {recalls[worst]:.3f} {interval_text(interval)}, of {worst!r}"
    if below:
        words += (
            f"; {len(below)} of {len(recalls)} classes are below the least allowed, {limit:g} "
            f"(evaluation.min_class_recall): {listed(list(map(repr, below)), _SHOWN)}"
        )
    return Check("min_class_recall", not below, recalls[worst], limit, words, interval)


def check_calibration(quality: Quality, limit: float) -> Check:
    """Compares the expected calibration error with the most allowed."""
    error = quality.calibration_error
    passed = error <= limit
    interval = quality.calibration_error_interval
    words = f"Its probabilities are off by {error:.3f} {interval_text(interval)} on average"
    if not passed:
        words += f", more than the {limit:g} allowed (evaluation.max_calibration_error)"
    return Check("max_calibration_error", passed, error, limit, words, interval)


def check_drop(
    name: str,
    other: str,
    old_right: NDArray[np.bool_],
    new_right: NDArray[np.bool_],
    limit: float,
    *,
    key: str = "",
    chance: float = CHANCE,
) -> Check:
    """Compares with another model's answers on the same images.

    Args:
        name: of the check.
        other: what the other model is, in words.
        old_right: whether the other model answers each image rightly, bool [n].
        new_right: the same of the model that is judged.
        limit: most accuracy that may be lost.
        key: of the limit in `evaluation`; empty where that is `name`.
        chance: a drop as probable as this by chance, or more, passes.

    Returns:
        The check; its `value` is the drop, negative when the new model is better.
    """
    paired = paired_drop(old_right, new_right)
    differing = (
        f"{paired.newly_wrong} of {len(old_right)} images newly wrong, "
        f"{paired.newly_right} newly right"
    )
    # Floating point must not decide on a drop of exactly the limit.
    within = paired.drop <= limit + 1e-9
    low, high = paired.interval
    if paired.drop == 0:
        words = f"Accuracy is that of {other}, give or take {max(-low, high):.3f} ({differing})"
    elif paired.drop < 0:
        gain = f"{figure_text(-paired.drop)} {interval_text((-high, -low))}"
        words = f"Accuracy is {gain} above {other} ({differing})"
    else:
        drop = f"{figure_text(paired.drop)} {interval_text(paired.interval)}"
        words = f"Accuracy is {drop} below {other} ({differing}); {limit:g} is allowed"
    passed = within or paired.chance >= chance
    if not within:
        outcome = "not a regression" if passed else f"a regression (evaluation.{key or name})"
        words += (
            f", and equally good models would differ so much in {paired.chance:.0%} of cases: "
            f"{outcome}"
        )
    return Check(name, passed, paired.drop, limit, words, paired.interval)


def check_gain(other: str, old_right: NDArray[np.bool_], new_right: NDArray[np.bool_]) -> Check:
    """Demands that a model is better than another by more than chance.

    Args:
        other: what the other model is, in words.
        old_right: whether the other model answers each image rightly, bool [n].
        new_right: the same of the model that is judged.

    Returns:
        The check, passed where the whole interval of the drop lies below 0.
    """
    paired = paired_drop(old_right, new_right)
    low, high = paired.interval
    gain = f"{figure_text(-paired.drop)} {interval_text((-high, -low))}"
    verdict = "better by more than chance" if high < 0 else "not shown to be better"
    words = (
        f"Beside {other} it is {verdict}: it gains {gain} of accuracy (evaluation.challenger: "
        "better)"
    )
    return Check("challenger", high < 0, -paired.drop, None, words, (-high, -low))


def nothing_to_compare(name: str, limit: float, words: str) -> Check:
    """Passes a comparison for which there is no other model, and says so."""
    return Check(name, True, None, limit, words)
