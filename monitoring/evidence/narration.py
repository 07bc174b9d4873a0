"""From the evidence to a report, in words."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.change_point import ChangePoint, find_change
from monitoring.evidence.directions import SLOTS
from monitoring.evidence.drift_report import DriftReport, SignalReport
from monitoring.evidence.ranked_stream import RankedStream
from monitoring.evidence.recent import Recent
from monitoring.evidence.signals import CLASS_GIVEN, DIRECTION, DISTANCES, Signal

_HEAVIEST: Final = 8
_LATEST: Final = 200
"""Images that stand for now without an alarm."""
_NAMED: Final = 3
_FAR: Final = 0.05
"""Part of the reference's images that lie so far away that they count as unlike any class."""
_LEAST: Final = 1e-300


class Narrator:
    """Says what the evidence says."""

    def __init__(
        self,
        signals: tuple[Signal, ...],
        classes: tuple[str, ...],
        reference: NDArray[np.float64],
        points: NDArray[np.float32],
    ) -> None:
        """Takes what does not change.

        Args:
            signals: what is watched.
            classes: names in the order of the model's outputs.
            reference: the signals of its images, [n, s]; NaN for unknown.
            points: their projections in whole steps, [n, c].
        """
        self._signals, self._classes = signals, classes
        self._reference, self._points = reference, points

    def report(self, stream: RankedStream, recent: Recent) -> DriftReport:
        """All signals.

        Args:
            stream: the evidence.
            recent: the images that came last.
        """
        detector = stream.detector
        stakes, shares = (
            np.concatenate([each[:-SLOTS], [each[-SLOTS:].sum()]])
            for each in (detector.stakes.sum(axis=1), stream.stakes_placed)
        )
        enough = (stakes >= detector.limit) | (stakes == stakes.max())
        reports = []
        for column, (stake, share) in enumerate(zip(stakes, shares, strict=True)):
            log_e = float(np.log(max(stake, _LEAST) / share))
            alarm = detector.alarm and bool(enough[column])
            if column < len(self._signals):
                reports.append(self._signal(column, stream, recent, log_e, alarm=alarm))
            else:
                reports.append(self._direction(stream, recent, log_e, alarm=alarm))
        reports.sort(key=lambda each: (not each.alarm, -each.log_e))
        total = float(np.log(detector.stakes.sum()))
        return DriftReport(
            tuple(reports), detector.alarm, stream.images, total, stream.run_length, stream.alarms
        )

    def _signal(
        self, column: int, stream: RankedStream, recent: Recent, log_e: float, *, alarm: bool
    ) -> SignalReport:
        signal, numbers = self._signals[column], recent.numbers[:, column]
        reference, ranks = self._reference[:, column], recent.ranks[:, column]
        if not alarm:
            return _quiet(signal.name, log_e, reference, numbers)
        images = stream.images_of_other_shares() if signal.name == CLASS_GIVEN else 1
        change = find_change(ranks, ~np.isnan(numbers), images)
        return self._moved(signal, log_e, reference, numbers, change, recent)

    def _direction(
        self, stream: RankedStream, recent: Recent, log_e: float, *, alarm: bool
    ) -> SignalReport:
        """Of the strongest direction; all images are ranked anew along it, for it is a late one."""
        slot = int(stream.detector.stakes[-SLOTS:].sum(axis=1).argmax())
        reference = stream.directions.along(slot, self._points)
        numbers = stream.directions.along(slot, recent.points.astype(np.float32))
        if not alarm:
            return _quiet(DIRECTION.name, log_e, reference, numbers)
        ranks = 1.0 - np.searchsorted(np.sort(reference), numbers) / (len(reference) + 1)
        change = find_change(ranks, ~np.isnan(numbers))
        return self._moved(DIRECTION, log_e, reference, numbers, change, recent)

    def _moved(
        self,
        signal: Signal,
        log_e: float,
        reference: NDArray[Any],
        numbers: NDArray[Any],
        change: ChangePoint,
        recent: Recent,
    ) -> SignalReport:
        now = numbers[change.likeliest :]
        if signal.classes:
            direction = _shares(signal.name, self._classes, reference, now)
        else:
            direction = _direction(reference, now)
        if signal.name in DISTANCES:
            direction += _unlike(reference, now)
        # Not by their order: servers' clocks differ, and are set.
        begun = recent.times[change.first : change.last + 1]
        since = float(begun.min()), float(begun.max())
        heaviest = _heaviest(recent, change)
        medians = _median(reference), _median(now)
        return SignalReport(signal.name, log_e, True, since, direction, *medians, heaviest)


def _quiet(name: str, log_e: float, reference: NDArray[Any], numbers: NDArray[Any]) -> SignalReport:
    medians = _median(reference), _median(numbers[-_LATEST:])
    return SignalReport(name, log_e, False, None, "", *medians, ())


def _heaviest(recent: Recent, change: ChangePoint) -> tuple[str, ...]:
    order = np.argsort(-change.log_odds, kind="stable")[:_HEAVIEST] + change.likeliest
    return tuple(recent.digests[place].decode("ascii", "replace") for place in order)


def _direction(reference: NDArray[Any], now: NDArray[Any]) -> str:
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


def _unlike(reference: NDArray[Any], now: NDArray[Any]) -> str:
    """How many images lie further from what is known than nearly all of the reference's."""
    before, after = reference[~np.isnan(reference)], now[~np.isnan(now)]
    if not len(before) or not len(after):
        return ""
    far = float(np.quantile(before, 1.0 - _FAR))
    share = float((after > far).mean())
    return f"; images that look like no class: {_FAR:.0%} → {share:.0%}" if share > _FAR else ""


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
    changes = [
        (f"{each} {one[at]:.0%} → {other[at]:.0%}", other[at] > one[at])
        for each, at in zip(named, order, strict=True)
    ]
    ways = {
        "more frequent": [text for text, is_more in changes if is_more],
        "rarer": [text for text, is_more in changes if not is_more],
    }
    return "; ".join(f"{way}: {', '.join(texts)}" for way, texts in ways.items() if texts)


def _median(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
