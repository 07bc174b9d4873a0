"""The monitor's page: one HTML file that needs nothing from outside."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models.observation.reference import Reference
from monitoring.evidence.drift_report import SignalReport
from monitoring.health import Health
from monitoring.live_images import LiveImage
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks
from pipeline.report.environment import environment
from pipeline.report.small_picture import jpeg_uri, small_picture

_SIDE: Final = 128
_MOST_PICTURES: Final = 6
_FEWER_PICTURES: Final = 3
_BEYOND_WORDS: Final = 40.0
_MINUTE: Final = 60
_HOUR: Final = 3600.0
_TONES: Final = {
    "healthy": ("good", "Healthy"),
    "drift": ("warning", "Drift, harmless so far"),
    "harmful": ("bad", "Answers are worse"),
    "data fault": ("bad", "Broken images"),
    "too little data": ("", "Too little data to say"),
}
_ACTIONS: Final = {
    "retrain": "Retrain",
    "page": "Somebody has to look",
    "nothing": "Nothing to do",
}


@dataclass(frozen=True)
class Pair:
    """An image of a request beside the held-out one that is nearest to it.

    Attributes:
        live: data URI; empty where the image was not kept.
        live_words: what was answered.
        digest: of the image.
        request_id: of its request.
        held_out: data URI; empty where the reference has no pictures.
        held_out_words: name and right class.
    """

    live: str
    live_words: str
    digest: str
    request_id: str
    held_out: str
    held_out_words: str


@dataclass(frozen=True)
class Moved:
    """A signal that moved, for the page.

    Attributes:
        words: which one, and which way.
        since: when it began, in words.
        strength: how sure that is, in words.
        pairs: images that say so most.
    """

    words: str
    since: str
    strength: str
    pairs: tuple[Pair, ...]


def render_page(
    health: Health,
    reference: Reference,
    images: Mapping[str, LiveImage],
) -> str:
    """Renders the page.

    Args:
        health: what the look found.
        reference: of the version that is watched.
        images: digest to image, of those that an alarm names.

    Returns:
        One document. Every name in it is escaped.
    """
    tone, headline = _TONES[health.decision.health]
    if (health.decision.health, health.decision.action) == ("drift", "page"):
        headline = "Drift, and nobody can say yet what harm it does"
    signals = health.drift.signals
    return (
        environment()
        .get_template("health.html.j2")
        .render(
            health=health,
            tone=tone,
            headline=headline,
            action=_ACTIONS[health.decision.action],
            looked=_when(health.time),
            first=_when(min(health.requests.by_minute, default=None)),
            last=_when(health.requests.last),
            moved=list(_all_moved(signals, reference, images)),
            signals=signals,
            chart=_chart(health.requests.by_minute, signals),
        )
    )


def _all_moved(
    signals: tuple[SignalReport, ...], reference: Reference, images: Mapping[str, LiveImage]
) -> Iterator[Moved]:
    """Each image is shown once, beside the signal that it weighs most for."""
    left, most = dict(images), _MOST_PICTURES
    for signal in signals:
        if not signal.alarm:
            continue
        found = [left.pop(digest) for digest in signal.heaviest[:most] if digest in left]
        since = ""
        if signal.since is not None:
            since = f"between {_when(signal.since[0])} and {_when(signal.since[1])}"
        words = f"{signal.name}: {signal.direction}"
        pairs = tuple(_pair(each, reference) for each in found)
        yield Moved(words, since, strength(signal.log_e), pairs)
        most = _FEWER_PICTURES


def strength(log_e: float) -> str:
    """Says in words how strong an evidence is.

    >>> strength(9.3)
    'so much comes by chance once in 10,000 times'
    """
    if log_e > _BEYOND_WORDS:
        return "so much hardly ever comes by chance"
    odds = math.exp(max(log_e, 0.0))
    digits = 10 ** max(len(str(int(odds))) - 2, 0)
    return f"so much comes by chance once in {int(odds // digits) * digits:,} times"


def _pair(live: LiveImage, reference: Reference) -> Pair:
    return Pair(
        live=_picture(live.image),
        live_words=f"{live.class_name}, {live.confidence:.0%} sure",
        digest=live.digest,
        request_id=live.request_id,
        held_out=_held_out(reference, live.nearest),
        held_out_words=(
            f"{reference.names[live.nearest]}, {reference.classes[reference.labels[live.nearest]]}"
        ),
    )


def _picture(encoded: bytes | None) -> str:
    try:
        return "" if encoded is None else small_picture(encoded, _SIDE)
    except (OSError, ValueError):  # what was sent need not be an image
        return ""


def _held_out(reference: Reference, number: int) -> str:
    return jpeg_uri(reference.thumbnails[number]) if reference.thumbnails else ""


def _chart(minutes: Mapping[int, tuple[int, int]], signals: tuple[SignalReport, ...]) -> str:
    """Answers and errors over the newest hours, and since when a signal moved."""
    if len(minutes) < 2:  # a line needs two points
        return ""
    last = max(minutes)
    per_minute = [list(_hours(minutes, last, which)) for which in (0, 1)]
    most = max(value for _, value in per_minute[0])
    first = per_minute[0][0][0]
    x = Axis("hours before the last answer", nice_ticks(first, 0.0))
    y = Axis("a minute", nice_ticks(0.0, max(float(most), 1.0)))
    marks = [
        ((signal.since[0] - last) / _HOUR, "moved")
        for signal in signals
        if signal.since is not None and (signal.since[0] - last) / _HOUR >= first
    ]
    series = (Series("answers", per_minute[0]), Series("errors", per_minute[1], "second"))
    return line_chart("Answers and errors a minute", series, x, y, marks[:1])


def _hours(
    minutes: Mapping[int, tuple[int, int]], last: int, which: int
) -> Iterator[tuple[float, float]]:
    """At most some 300 points, each the mean of the minutes that it stands for."""
    first = min(minutes)
    together = max((last - first) // _MINUTE // 300, 1)
    for at in range(first, last + 1, together * _MINUTE):
        values = [minutes.get(at + offset * _MINUTE, (0, 0))[which] for offset in range(together)]
        yield (at - last) / _HOUR, sum(values) / together


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
