"""What the model answers in further label columns, and whether it may be pushed with that.

A head is worth nothing where it answers no better than one that always says the most frequent
class (`components.judge.frequent_class`).
"""

from dataclasses import dataclass

from components.evaluation.evaluation_settings import EvaluationSettings
from components.judge.checks import Check, check_drop
from components.judge.comparisons import BASELINE, FEWEST
from components.judge.frequent_class import FrequentClass, beside_frequent_class
from components.judge.paired_answers import PairedAnswers
from components.judge.prediction_file import Predictions
from models.intervals import Interval
from models.metrics import Quality, quality
from models.number_text import figure_text, interval_text


@dataclass(frozen=True)
class ColumnResult:
    """Figures of one column on the test images that have a label there.

    Attributes:
        column: its name.
        frequent: the most frequent class among these images.
        frequent_share: its share, which is the accuracy of always saying it.
        gain: accuracy beyond that.
        gain_interval: the 95 % interval of that gain.
        drop: accuracy lost against the last blessed model; None where that does not answer the
            column.
        drop_interval: the 95 % interval of that drop.
        quality: all other figures.
    """

    column: str
    frequent: str
    frequent_share: float
    gain: float
    gain_interval: Interval
    drop: float | None
    drop_interval: Interval | None
    quality: Quality


def judge_column(
    column: str,
    predictions: Predictions,
    paired: PairedAnswers | None,
    settings: EvaluationSettings,
) -> tuple[ColumnResult | None, list[Check]]:
    """Judges one column.

    Args:
        column: its name.
        predictions: to the test images that have a label there.
        paired: what the last blessed model and this one answer; None where there is no such model,
            or it does not answer the column.
        settings: the most accuracy that may be lost against it, and the k of top-k accuracy.

    Returns:
        The figures, None without a test image, and the checks: whether it is better than always
        saying the most frequent class, and whether accuracy was lost.
    """
    if not predictions.names:
        return None, [_untested(column)]
    figures = quality(
        predictions.truth, predictions.probabilities, predictions.classes, settings.top_k
    )
    frequent = beside_frequent_class(predictions)
    checks = [_check_gain(column, figures, frequent)]
    lost = _check_drop(column, paired, settings.max_accuracy_drop)
    result = ColumnResult(
        column=column,
        frequent=frequent.label,
        frequent_share=frequent.share,
        gain=frequent.gain.drop,
        gain_interval=frequent.gain.interval,
        drop=lost.value if lost else None,
        drop_interval=lost.interval if lost else None,
        quality=figures,
    )
    return result, [*checks, *([lost] if lost else [])]


def _check_gain(column: str, figures: Quality, frequent: FrequentClass) -> Check:
    """Demands that a column is answered better than by its most frequent class, beyond chance."""
    gain = frequent.gain
    words = (
        f"Accuracy in {column} is {figures.accuracy:.3f} "
        f"{interval_text(figures.accuracy_interval)} on {figures.images} test images; always "
        f"{frequent.label!r} would have {frequent.share:.3f}"
    )
    if not frequent.is_beaten:
        words += (
            f", so that it is not shown to be better (gain {figure_text(gain.drop)} "
            f"{interval_text(gain.interval)}). Label more images in this column, of the rarer "
            "classes above all, or take it out of data.further_labels"
        )
    beaten = frequent.is_beaten
    return Check(f"further_labels/{column}", beaten, gain.drop, None, words, gain.interval)


def _check_drop(column: str, paired: PairedAnswers | None, limit: float) -> Check | None:
    """None where there is nothing to compare with."""
    if paired is None or not paired.new.names or len(paired.new.classes) < FEWEST:
        return None
    other = f"the last blessed model in {column}"
    return check_drop(
        f"{BASELINE}/{column}", other, paired.old.right, paired.new.right, limit, key=BASELINE
    )


def _untested(column: str) -> Check:
    words = (
        f"No test image has a label in {column}, so that it cannot be judged. Label some, or take "
        "it out of data.further_labels"
    )
    return Check(f"further_labels/{column}", False, None, None, words)
