"""Figures of a classifier from its probabilities, the same for judge and monitoring.

Throughout, `truth` holds class indices, int [n], where -1 is a class that the model does not know
(always answered wrongly), and `probabilities` is float [n, k].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from models.intervals import (
    Interval,
    bootstrap_interval,
    mean_interval,
    paired_difference,
    share_interval,
)

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
_BINS = 15


@dataclass(frozen=True)
class ClassQuality:
    """How well one class is told from the others.

    Attributes:
        label: name of the class.
        images: images of it that were judged.
        predicted: images that the model gave this class.
        precision: share of `predicted` that is right; None when nothing was given this class.
        recall: share of `images` that was found; None when there is no image of it.
        f1: harmonic mean of the two; None when either is.
        auc: area under the one-versus-rest ROC curve; None without images on either side.
        precision_interval: as of all figures, 95 %; None where the figure is.
        recall_interval: likewise.
        auc_interval: likewise; None too for an area of 1, which shows no spread.
    """

    label: str
    images: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    auc: float | None
    precision_interval: Interval | None
    recall_interval: Interval | None
    auc_interval: Interval | None


@dataclass(frozen=True)
class Quality:
    """All figures of one model on one set of images.

    Attributes:
        images: number of images judged.
        accuracy: share answered rightly.
        top_k: the k of `top_k_accuracy`.
        top_k_accuracy: share whose class is among the k most probable.
        loss: mean negative log likelihood in nats.
        macro_auc: mean of the classes' one-versus-rest AUC; None when no class has one.
        calibration_error: expected calibration error of the most probable class.
        classes: figures of each class, in the model's order.
        accuracy_interval: in which the accuracy on endless such images lies, in 95 of 100 cases;
            see `models.intervals`.
        top_k_accuracy_interval: likewise.
        macro_auc_interval: likewise; None where the figure is, or is 1, which shows no spread.
        calibration_error_interval: likewise.
    """

    images: int
    accuracy: float
    top_k: int
    top_k_accuracy: float
    loss: float
    macro_auc: float | None
    calibration_error: float
    classes: tuple[ClassQuality, ...]
    accuracy_interval: Interval
    top_k_accuracy_interval: Interval
    macro_auc_interval: Interval | None
    calibration_error_interval: Interval


@dataclass(frozen=True)
class CalibrationBin:
    """Images whose highest probability lies in [low, high).

    Attributes:
        low: lower edge.
        high: upper edge.
        images: number of images in the bin.
        confidence: mean of their highest probabilities.
        accuracy: share of them answered rightly.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class PairedDrop:
    """Accuracy lost by a new model against an old one on the same images.

    Attributes:
        drop: accuracy of the old minus that of the new; negative when the new one is better.
        newly_wrong: images that only the old model answers rightly.
        newly_right: images that only the new model answers rightly.
        chance: probability of at least `newly_wrong` among the images on which they differ, were
            both models equally good: the one-sided exact McNemar test.
        interval: in which the drop on endless such images lies, in 95 of 100 cases.
    """

    drop: float
    newly_wrong: int
    newly_right: int
    chance: float
    interval: Interval


def class_indices(labels: list[str], classes: tuple[str, ...]) -> Integers:
    """Gives the position of each label in `classes`, int [n]; -1 for a label not among them."""
    position = {name: index for index, name in enumerate(classes)}
    return np.array([position.get(label, -1) for label in labels], np.int64)


def quality(
    truth: Integers, probabilities: Floats, classes: tuple[str, ...], top_k: int
) -> Quality:
    """Computes every figure; raises ValueError when there is no image or shapes disagree."""
    if len(truth) == 0 or probabilities.shape != (len(truth), len(classes)):
        raise ValueError(
            f"{len(truth)} labels and {len(classes)} classes against {probabilities.shape}"
        )
    areas = _areas(truth, probabilities)
    right = is_right(truth, probabilities)
    among = is_among_best(truth, probabilities, top_k)
    bins = calibration_bins(truth, probabilities)
    return Quality(
        images=len(truth),
        accuracy=float(right.mean()),
        top_k=top_k,
        top_k_accuracy=float(among.mean()),
        loss=log_loss(truth, probabilities),
        macro_auc=areas.mean,
        calibration_error=calibration_error(bins),
        classes=_class_qualities(truth, probabilities, classes, areas),
        accuracy_interval=share_interval(int(right.sum()), len(truth)),
        top_k_accuracy_interval=share_interval(int(among.sum()), len(truth)),
        macro_auc_interval=areas.mean_interval,
        calibration_error_interval=_calibration_error_interval(truth, probabilities, bins),
    )


def is_right(truth: Integers, probabilities: Floats) -> NDArray[np.bool_]:
    """Tells for each image whether the most probable class is the true one, bool [n]."""
    return np.asarray(probabilities.argmax(axis=1) == truth)


def is_among_best(truth: Integers, probabilities: Floats, k: int) -> NDArray[np.bool_]:
    """Tells for each image whether fewer than k classes are more probable than the true one."""
    own = probabilities[np.arange(len(truth)), truth]
    better = (probabilities > own[:, None]).sum(axis=1)
    return np.asarray((better < k) & (truth >= 0))


def log_loss(truth: Integers, probabilities: Floats) -> float:
    """Gives the mean negative log likelihood in nats; probabilities below 1e-7 count as 1e-7."""
    own = np.where(truth >= 0, probabilities[np.arange(len(truth)), truth], 0.0)
    return float(-np.mean(np.log(np.maximum(own, 1e-7))))


def confusion_matrix(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """Counts images by true class (rows) and answer (columns), int [k, k]; skips unknown truths."""
    known = truth >= 0
    cells = truth[known] * classes + predicted[known]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def _class_qualities(
    truth: Integers, probabilities: Floats, classes: tuple[str, ...], areas: "_Areas"
) -> tuple[ClassQuality, ...]:
    predicted = probabilities.argmax(axis=1)
    matrix = confusion_matrix(truth, predicted, len(classes))
    given = np.bincount(predicted, minlength=len(classes))
    result = []
    for index, label in enumerate(classes):
        hits, images = int(matrix[index, index]), int(matrix[index].sum())
        precision = hits / int(given[index]) if given[index] else None
        recall = hits / images if images else None
        both = None if precision is None or recall is None else precision + recall
        f1 = None if both is None else 2 * (precision or 0) * (recall or 0) / (both or 1)
        result.append(
            ClassQuality(
                label=label,
                images=images,
                predicted=int(given[index]),
                precision=precision,
                recall=recall,
                f1=f1,
                auc=areas.each[index],
                precision_interval=share_interval(hits, int(given[index]))
                if given[index]
                else None,
                recall_interval=share_interval(hits, images) if images else None,
                auc_interval=areas.intervals[index],
            )
        )
    return tuple(result)


def _placements(positive: NDArray[np.bool_], scores: Floats) -> Floats | None:
    """Gives a value for each image whose mean is the area, and whose spread its standard error.

    The area is that under the ROC curve, ties counting half. The value of an image is the area,
    moved by how far the share of the other side that it is on the right side of differs from the
    area, weighted by the rarity of its own side. Returns None when all images are on one side.

    Reference: DeLong et al., Comparing the Areas under Two or More Correlated ROC Curves, 1988.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    of_positives = np.bincount(place[positive], minlength=len(count))
    of_negatives = count - of_positives
    below = np.cumsum(of_negatives) - of_negatives / 2
    above = positives - np.cumsum(of_positives) + of_positives / 2
    beaten = np.where(positive, below[place] / negatives, above[place] / positives)
    area = float(beaten[positive].mean())
    weight = np.where(positive, 1 / positives, 1 / negatives) * len(positive)
    return np.asarray(area + (beaten - area) * weight)


@dataclass(frozen=True)
class _Areas:
    """Areas under the classes' ROC curves, each with its interval, and the mean of all."""

    each: list[float | None]
    intervals: list[Interval | None]
    mean: float | None
    mean_interval: Interval | None


def _areas(truth: Integers, probabilities: Floats) -> _Areas:
    """Computes all areas; the same images decide on all, so that of the mean is no mean."""
    each: list[float | None] = []
    intervals: list[Interval | None] = []
    total = np.zeros(len(truth))
    for index in range(probabilities.shape[1]):
        placements = _placements(truth == index, probabilities[:, index])
        each.append(None if placements is None else float(placements.mean()))
        intervals.append(None if placements is None else _area_interval(placements))
        total += 0.0 if placements is None else placements
    known = [area for area in each if area is not None]
    if not known:
        return _Areas(each, intervals, None, None)
    return _Areas(each, intervals, float(np.mean(known)), _area_interval(total / len(known)))


def _area_interval(placements: Floats) -> Interval | None:
    return None if np.allclose(placements, 1.0) else mean_interval(placements, (0.0, 1.0))


def calibration_bins(truth: Integers, probabilities: Floats) -> tuple[CalibrationBin, ...]:
    """Groups images by the probability of the model's answer, in `_BINS` equal intervals.

    Empty bins are left out. Reference: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    confidence = probabilities.max(axis=1)
    right = is_right(truth, probabilities)
    bin_of = _bins_of(confidence)
    result = []
    for index in np.unique(bin_of):
        inside = bin_of == index
        result.append(
            CalibrationBin(
                low=index / _BINS,
                high=(index + 1) / _BINS,
                images=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(right[inside].mean()),
            )
        )
    return tuple(result)


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Gives the expected calibration error: mean gap of confidence and accuracy, by images."""
    images = sum(each.images for each in bins)
    return sum(abs(each.confidence - each.accuracy) * each.images for each in bins) / images


def _bins_of(confidence: Floats) -> Integers:
    return np.minimum((confidence * _BINS).astype(int), _BINS - 1)


def _calibration_error_interval(
    truth: Integers, probabilities: Floats, bins: tuple[CalibrationBin, ...]
) -> Interval:
    confidence = probabilities.max(axis=1)
    gap = confidence - is_right(truth, probabilities)
    bin_of = _bins_of(confidence)

    def error(drawn: Integers) -> float:
        gaps = np.bincount(bin_of[drawn], weights=gap[drawn], minlength=_BINS)
        return float(np.abs(gaps).sum() / len(drawn))

    return bootstrap_interval(calibration_error(bins), error, len(truth), (0.0, 1.0))


def paired_drop(old_right: NDArray[np.bool_], new_right: NDArray[np.bool_]) -> PairedDrop:
    """Compares two models on the same images, given which of them each answers rightly."""
    newly_wrong = int((old_right & ~new_right).sum())
    newly_right = int((new_right & ~old_right).sum())
    differing = newly_wrong + newly_right
    chance = binomtest(newly_wrong, differing, alternative="greater").pvalue if differing else 1.0
    return PairedDrop(
        drop=(newly_wrong - newly_right) / len(old_right),
        newly_wrong=newly_wrong,
        newly_right=newly_right,
        chance=float(chance),
        interval=paired_difference(
            int((old_right & new_right).sum()),
            newly_wrong,
            newly_right,
            int((~old_right & ~new_right).sum()),
        ),
    )
