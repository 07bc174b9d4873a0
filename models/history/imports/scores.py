"""Which of a past's figures is its score, and which way it is better."""

import math
import re
from collections.abc import Sequence

from models.history.imports.foreign_past import Direction, ForeignPastError, Wanted
from models.history.search_space import MOST
from models.wording import begun_list

_SHARES = {"acc", "accuracy", "auc", "dice", "f1", "iou", "precision", "recall"}
_HIGHER = {*_SHARES, "bleu", "miou", "r2"}
_LOWER = {"crossentropy", "err", "error", "logloss", "loss", "mae", "mse", "nll", "perplexity"}
_LOWER |= {"rmse"}
_SHOWN = 10
_ROUNDING = 1e-6


def choose_metric(candidates: Sequence[str], wanted: Wanted, where: str) -> str:
    """The name of the score.

    Args:
        candidates: figures that the source has.
        wanted: may name one of them.
        where: the source, for messages.

    Raises:
        ForeignPastError: none or several could be it, or the one that was named is not there.
    """
    found = sorted(set(candidates))
    shown = begun_list(found, _SHOWN)
    if wanted.metric is not None:
        if wanted.metric in found:
            return wanted.metric
        raise ForeignPastError(
            f"{where}: has no figure {wanted.metric!r}; it has {shown or 'none at all'}. Name the "
            "score with --metric."
        )
    if len(found) == 1:
        return found[0]
    if not found:
        raise ForeignPastError(f"{where}: has no score: no figure was kept with its trials.")
    raise ForeignPastError(
        f"{where}: any of {shown} may be the score. Name the one that was searched for with "
        "--metric."
    )


def is_figure(name: str) -> bool:
    """Whether a name is that of something measured, whichever way it is better."""
    return bool(_words(name) & (_HIGHER | _LOWER))


def direction_of(metric: str) -> Direction | None:
    """Which way a figure is better, where its name leaves no doubt."""
    words = _words(metric)
    if "neg" in words or bool(words & _HIGHER) == bool(words & _LOWER):
        return None
    return "max" if words & _HIGHER else "min"


def choose_direction(metric: str, wanted: Wanted, where: str) -> Direction:
    """Which way a score is better, where the source does not say so.

    Raises:
        ForeignPastError: neither the user nor the name tells.
    """
    direction = wanted.direction or direction_of(metric)
    if direction is None:
        raise ForeignPastError(
            f"{where}: nothing tells whether a higher {metric!r} is better. Say so with "
            "--direction max, or --direction min."
        )
    return direction


def unit_of(metric: str, direction: Direction, scores: Sequence[float], where: str) -> float:
    """What scores have to be divided by to be shares: 100 for an accuracy in per cent, or 1.

    Args:
        metric: its name.
        direction: of the metric; what is called an accuracy and minimised is no share.
        scores: all that are finite.
        where: the source, for messages.

    Raises:
        ForeignPastError: it has the name of a share, but is neither that nor a percentage, or
            is now the one and now the other.
    """
    if direction == "min" or not _words(metric) & _SHARES or not scores:
        return 1.0
    low, high = min(scores), max(scores)
    if low < 0.0 or high > 100.0:
        raise ForeignPastError(
            f"{where}: {metric!r} ought to be a share from 0 to 1 or a percentage, but goes from "
            f"{low:g} to {high:g}. If another figure is the score, name it with --metric."
        )
    if high <= 1.0 + _ROUNDING:
        return 1.0
    shares = sum(0.0 < score <= 1.0 for score in scores)
    if 3 * shares > len(scores):
        raise ForeignPastError(
            f"{where}: {metric!r} is a share in {shares} trials and a percentage in the others. "
            "Put it into one unit in the source."
        )
    return 100.0


def is_usable(score: object) -> bool:
    """Whether something is a number that a history can hold."""
    number = number_of(score)
    return number is not None and abs(number) <= MOST


def number_of(value: object) -> float | None:
    """A number; infinite where it is larger than any float, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _words(metric: str) -> set[str]:
    """Words of a name: "val_top5_accuracy" and "valAccuracy" have "accuracy"."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1_\2", metric)
    return set(re.findall(r"[a-z]+[0-9]?|[0-9]+", parted.lower()))
