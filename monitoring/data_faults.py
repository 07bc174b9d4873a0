"""Faults of what is sent, which no training mends: black frames, swapped channels, empty bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from models.observation.reference import Reference
from models.observation.signal_names import IMAGE_SIGNALS
from monitoring.accuracy.confidence_sequence import ShareSoFar
from monitoring.observations import Observations

_BRIGHTNESS, _CONTRAST, _WARMTH = (
    IMAGE_SIGNALS.index(name) for name in ("brightness", "contrast", "warmth")
)
_BLAMELESS: Final = ("OK", "CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED")
"""Answers that say nothing of what was sent."""
_FLAT: Final = 0.01
"""Contrast below which a picture shows nothing."""
_SHARE: Final = 0.05
"""Of flat pictures, or of requests that were refused, beyond what is usual."""
_LEAST: Final = 20
"""Images below which pictures are not judged."""
_MISS: Final = 0.01
_SURE: Final = float(np.log(1e4))
_CELLS: Final = 41
_FITS: Final = 0.12
"""Largest distance (Kolmogorov, Smirnov) of the warmth turned round from the reference's."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """All answers of the time that is looked at, from the counts of the log.

    Attributes:
        statuses: name of the gRPC status to how many answers had it.
        repeats: images answered whose very bytes were sent before.
    """

    statuses: Mapping[str, int] = field(default_factory=dict)
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class DataFault:
    """One fault.

    Attributes:
        name: "flat pictures", "swapped channels", "refused requests" or "one picture again and
            again".
        reason: in words, with figures.
        share: of the images or requests that have it.
    """

    name: str
    reason: str
    share: float


def data_faults(
    reference: Reference, images: Observations | None, traffic: Traffic | None = None
) -> tuple[DataFault, ...]:
    """Looks for faults among the newest images and answers.

    Args:
        reference: of the version that answered.
        images: the newest images; some hundreds are enough.
        traffic: all answers of that time.
    """
    traffic = traffic or Traffic()
    found = [_refused(traffic), _stuck(traffic, images)]
    if images is not None and len(images) >= _LEAST:
        found += [_flat(reference, images), _swapped(reference, images)]
    return tuple(fault for fault in found if fault is not None)


def _refused(traffic: Traffic) -> DataFault | None:
    """More requests than usual that the server could make nothing of."""
    bad = {name: n for name, n in traffic.statuses.items() if name not in _BLAMELESS}
    count, every = sum(bad.values()), sum(traffic.statuses.values())
    if not count or ShareSoFar(count, every).interval(_MISS)[0] <= _SHARE:
        return None
    worst = max(bad, key=lambda name: bad[name])
    reason = f"{count} of {every} requests were refused, most as {worst}"
    return DataFault("refused requests", f"{reason}: look at what the clients send", count / every)


def _stuck(traffic: Traffic, images: Observations | None) -> DataFault | None:
    """Nearly all pictures are the bytes of earlier ones."""
    fresh = 0 if images is None else len(images)
    every = traffic.repeats + fresh
    if not every or ShareSoFar(traffic.repeats, every).interval(_MISS)[0] <= 0.9:
        return None
    reason = f"{traffic.repeats} of {every} pictures were sent before, byte for byte"
    return DataFault("one picture again and again", reason, traffic.repeats / every)


def _flat(reference: Reference, images: Observations) -> DataFault | None:
    flat = images.signals[:, _CONTRAST] < _FLAT
    usual = float((reference.signals[:, _CONTRAST] < _FLAT).mean()) if len(reference.labels) else 0
    count = int(flat.sum())
    if not count or ShareSoFar(count, len(flat)).interval(_MISS)[0] <= usual + _SHARE:
        return None
    light = float(np.median(images.signals[flat, _BRIGHTNESS]))
    look = "black" if light < 0.1 else "white" if light > 0.9 else "of one colour"
    reason = f"{count} of the newest {len(flat)} pictures are {look}: look at the camera"
    return DataFault("flat pictures", reason, count / len(flat))


def _swapped(reference: Reference, images: Observations) -> DataFault | None:
    """Red and blue have changed places: the warmth has turned its sign, and nothing else fits.

    The evidence is a likelihood ratio of the warmth turned round against the warmth as it was.
    """
    before = reference.signals[:, _WARMTH].astype(np.float64)
    now = images.signals[:, _WARMTH].astype(np.float64)
    if len(before) < 2 or before.std() < 1e-3:
        return None
    # A grey picture is the same either way.
    now = now[np.abs(now) > 1e-3]
    edge = float(np.abs(before).max()) + 1e-6
    one, other = _density(before, now, edge), _density(-before, now, edge)
    if float(np.log(other / one).sum()) < _SURE:
        return None
    colourful = before[np.abs(before) > 1e-3]
    if ks_2samp(-now, colourful).statistic > _FITS + 1.5 / len(now) ** 0.5:
        return None
    reason = "pictures come with red and blue in each other's place: "
    reason += f"median warmth {np.median(before):+.3f} → {np.median(now):+.3f}"
    return DataFault("swapped channels", reason, 1.0)


def _density(seen: NDArray[Any], at: NDArray[Any], edge: float) -> NDArray[np.float64]:
    """Smoothed shares of the cells that some values lie in."""
    edges = np.linspace(-edge, edge, _CELLS + 1)[1:-1]
    counts = np.bincount(np.searchsorted(edges, seen), minlength=_CELLS).astype(np.float64)
    padded = np.pad(counts, 1, mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4 + 0.5
    return np.asarray((smooth / smooth.sum())[np.searchsorted(edges, at)])
