"""Which answers suffer: by the class that was given, and by how the images look.

Many parts are looked at at once, so each interval is wide enough that all of them hold together
(Bonferroni).
"""

from collections.abc import Iterator
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.observation.signal_names import IMAGE_SIGNALS
from monitoring.accuracy.foretelling import Foreteller, Foretold
from monitoring.accuracy.report import PartAccuracy
from monitoring.accuracy.traits import Seen

_LEAST: Final = 20
"""Images that a part needs, in the window and in the reference."""
_MISS: Final = 0.05
_THIRDS: Final = ("least", "middle", "most")

Mask = NDArray[np.bool_]


def by_class(
    classes: tuple[str, ...], teacher: Foreteller, seen: Seen, foretold: Foretold, tests: int
) -> tuple[PartAccuracy, ...]:
    """Accuracy of the answers that gave each class."""
    masks = (
        (name, teacher.reference_seen.class_ids == place, seen.class_ids == place)
        for place, name in enumerate(classes)
    )
    return _parts(masks, teacher, foretold, tests)


def by_look(
    teacher: Foreteller, seen: Seen, foretold: Foretold, tests: int
) -> tuple[PartAccuracy, ...]:
    """Accuracy of the darkest third of the reference's images, of the brightest, and so on."""
    return _parts(_thirds(teacher.reference_seen, seen), teacher, foretold, tests)


def part_count(classes: int) -> int:
    """Parts that are looked at in all."""
    return classes + len(_THIRDS) * len(IMAGE_SIGNALS)


def _thirds(reference: Seen, seen: Seen) -> Iterator[tuple[str, Mask, Mask]]:
    for place, signal in enumerate(IMAGE_SIGNALS):
        values = reference.signals[:, place]
        edges = np.quantile(values, (1 / 3, 2 / 3)) if len(values) else np.zeros(2)
        if edges[0] < edges[1]:
            thirds = np.searchsorted(edges, values), np.searchsorted(edges, seen.signals[:, place])
            for third, word in enumerate(_THIRDS):
                yield f"{word} {signal}", thirds[0] == third, thirds[1] == third


def _parts(
    masks: Iterator[tuple[str, Mask, Mask]], teacher: Foreteller, foretold: Foretold, tests: int
) -> tuple[PartAccuracy, ...]:
    far = NormalDist().inv_cdf(1 - _MISS / (4 * max(tests, 1)))
    return tuple(
        _part(name, teacher, before, foretold, now, far)
        for name, before, now in masks
        if before.sum() >= _LEAST and now.sum() >= _LEAST
    )


def _part(
    name: str, teacher: Foreteller, before: Mask, foretold: Foretold, now: Mask, far: float
) -> PartAccuracy:
    right, thought = teacher.reference_right[before], teacher.reference_chances[before]
    was, usual, off = _shrunk(right, thought)
    chances = foretold.chances[now]
    estimate = float(np.clip(chances.mean() + usual, 0.0, 1.0))
    spread = (chances * (1 - chances)).mean() / len(chances)
    reach = far * float(np.sqrt(spread + off**2 + foretold.error**2))
    was_reach = far * float(np.sqrt(max(was * (1 - was), 1 / len(right)) / len(right)))
    return PartAccuracy(
        name=name,
        images=int(now.sum()),
        estimate=estimate,
        low=max(0.0, estimate - reach),
        high=min(1.0, estimate + reach),
        reference=was,
        fell=estimate + reach < was - was_reach,
    )


def _shrunk(right: NDArray[Any], chances: NDArray[np.float64]) -> tuple[float, float, float]:
    """Accuracy of a part in the reference, what is usually foretold too low, and its error.

    Half of what was seen is taken to be chance where it is no larger than chance makes it.
    """
    rest = float(right.mean() - chances.mean())
    noise = float((chances * (1 - chances)).mean() / len(right)) + 1e-6
    share = rest**2 / (rest**2 + noise)
    return float(right.mean()), share * rest, float(np.sqrt(noise))
