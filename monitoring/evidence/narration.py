"""From the evidence to a report, in words."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.change_point import ChangePoint, find_change
from monitoring.evidence.detector import Detector
from monitoring.evidence.drift_report import DriftReport, SignalReport
from monitoring.evidence.recent import Recent
from monitoring.evidence.signals import CLASS_GIVEN, REGION, Signal

_HEAVIEST: Final = 8
_LATEST: Final = 200
"""Images that stand for now without an alarm."""
_NAMED: Final = 3


def report(
    signals: tuple[Signal, ...],
    classes: tuple[str, ...],
    reference: NDArray[np.float64],
    detector: Detector,
    recent: Recent,
    images: int,
    alarms: int,
) -> DriftReport:
    """Says what the evidence says.

    Args:
        signals: what is watched.
        classes: names in the order of the model's outputs.
        reference: the signals of its images, [n, s]; NaN for unknown.
        detector: the stakes.
        recent: images that came last.
        images: that were looked at.
        alarms: that began so far.
    """
    shares = detector.shares.sum(axis=1)
    stakes = detector.stakes.sum(axis=1)
    log_e = np.log(stakes / shares)
    limit = np.log(1 / (detector.alpha * shares))
    loud = detector.alarm & ((log_e >= limit) | (stakes == stakes.max()))
    reports = [
        _signal(
            signal,
            classes,
            reference[:, column],
            recent,
            column,
            float(log_e[column]),
            bool(loud[column]),
        )
        for column, signal in enumerate(signals)
    ]
    reports.sort(key=lambda each: (not each.alarm, -each.log_e))
    run_length = 2 * detector.period / detector.alpha - detector.period
    total = float(np.log(detector.stakes.sum()))
    return DriftReport(tuple(reports), detector.alarm, images, total, run_length, alarms)


def _signal(
    signal: Signal,
    classes: tuple[str, ...],
    reference: NDArray[np.float64],
    recent: Recent,
    column: int,
    log_e: float,
    alarm: bool,
) -> SignalReport:
    numbers = recent.numbers[:, column]
    if not alarm or not len(recent):
        medians = _median(reference), _median(numbers[-_LATEST:])
        return SignalReport(signal.name, log_e, False, None, "", *medians, ())
    change = find_change(recent.ranks[:, column], ~np.isnan(numbers))
    now = numbers[change.likeliest :]
    direction = _direction(signal.name, classes, reference, now)
    since = float(recent.times[change.first]), float(recent.times[change.last])
    medians = _median(reference), _median(now)
    heaviest = _heaviest(recent, change)
    return SignalReport(signal.name, log_e, True, since, direction, *medians, heaviest)


def _heaviest(recent: Recent, change: ChangePoint) -> tuple[str, ...]:
    order = np.argsort(-change.log_odds, kind="stable")[:_HEAVIEST] + change.likeliest
    return tuple(recent.digests[place].decode("ascii", "replace") for place in order)


def _direction(
    name: str, classes: tuple[str, ...], reference: NDArray[Any], now: NDArray[Any]
) -> str:
    if name in (CLASS_GIVEN, REGION):
        return _shares(name, classes, reference, now)
    before, after = reference[~np.isnan(reference)], now[~np.isnan(now)]
    if not len(before) or not len(after):
        return ""
    one, other = _median(before), _median(after)
    low, high = np.quantile(before, (0.25, 0.75))
    new_low, new_high = np.quantile(after, (0.25, 0.75))
    if abs(other - one) > (high - low) / 8:
        return f"{'higher' if other > one else 'lower'}: median {one:.3g} → {other:.3g}"
    spread = "more" if new_high - new_low > high - low else "less"
    return f"{spread} spread: middle half {low:.3g} to {high:.3g} → {new_low:.3g} to {new_high:.3g}"


def _shares(name: str, classes: tuple[str, ...], reference: NDArray[Any], now: NDArray[Any]) -> str:
    """The classes or regions that gained or lost most, in words."""
    most = int(np.nanmax(np.concatenate([reference, now]))) + 1
    one, other = (
        np.bincount(values[~np.isnan(values)].astype(np.int64), minlength=most)
        / max(len(values), 1)
        for values in (reference, now)
    )
    order = np.argsort(-np.abs(other - one), kind="stable")[:_NAMED]
    named = [classes[at] if name == CLASS_GIVEN else f"region {at + 1}" for at in order]
    return ", ".join(
        f"{each}: {one[at]:.0%} → {other[at]:.0%}" for each, at in zip(named, order, strict=True)
    )


def _median(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
