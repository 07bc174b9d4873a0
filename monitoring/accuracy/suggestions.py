"""Which images are most worth a label: the model is unsure of them, or has seen few like them.

The most uncertain images are often near to each other, and one label tells of them all. So images
are drawn one by one, each time the one with the greatest worth times distance to those drawn
before (after K. Wei, R. Iyer and J. Bilmes, "Submodularity in Data Subset Selection and Active
Learning", ICML 2015: first by uncertainty, then by spread).
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import Reference
from models.storage.atomic_write import write_atomically
from monitoring.accuracy.foretelling import Foreteller
from monitoring.accuracy.traits import seen_in_log
from monitoring.observations import Observations

_MOST: Final = 5_000
"""Images that are chosen among, the newest."""
_COLUMNS: Final = ("path", "label", "digest", "request_id", "row", "answered", "chance", "why")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An image that is worth a label.

    Attributes:
        digest: SHA-256 of its bytes, hex.
        request_id: of the request that it came with.
        row: its place in that.
        answered: class that the model gave.
        chance: that this is right, as it is foretold.
        why: "uncertain", "novel", or both.
    """

    digest: str
    request_id: str
    row: int
    answered: str
    chance: float
    why: str


def suggest(
    reference: Reference, teacher: Foreteller, images: Observations, count: int
) -> tuple[Suggestion, ...]:
    """Chooses images to label.

    Args:
        reference: of the version that answered.
        teacher: made of it.
        images: to choose among; of more than 5,000 the newest.
        count: how many to choose.

    Returns:
        At most so many, the worthiest first.
    """
    images = images[max(0, len(images) - _MOST) :]
    if not len(images) or count < 1:
        return ()
    seen = seen_in_log(images, reference.temperature)
    chances = teacher.foretell(seen).chances
    novelty = _ranks(_nearest(seen.projections, reference.anchors.astype(np.float32)))
    doubt = _ranks(-np.abs(chances - 0.5))
    chosen = _spread(seen.projections, np.maximum(doubt, novelty) + doubt + novelty, count)
    return tuple(
        Suggestion(
            digest=str(images.digests[at]),
            request_id=str(images.request_ids[at]),
            row=int(images.rows[at]),
            answered=reference.classes[int(images.class_ids[at])],
            chance=float(chances[at]),
            why=_why(float(doubt[at]), float(novelty[at])),
        )
        for at in chosen
    )


def write_suggestions(
    path: Path, suggestions: Sequence[Suggestion], image: Callable[[str], Path | None]
) -> None:
    """Writes them as a manifest whose labels are still to be filled in.

    `graft run` reads it as data and `graft labels` as labels; both pass over rows without a label.

    Args:
        path: the CSV file.
        suggestions: to write.
        image: the kept file of a digest; None where it was not kept.

    Raises:
        OSError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for each in suggestions:
        found = image(each.digest)
        cells = (each.digest, each.request_id, each.row, each.answered)
        row = ("" if found is None else str(found), "", *cells, f"{each.chance:.3f}", each.why)
        writer.writerow([_harmless(str(cell)) for cell in row])
    write_atomically(path, text.getvalue().encode("utf-8", "replace"))


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _why(doubt: float, novelty: float) -> str:
    words = [word for word, rank in (("uncertain", doubt), ("novel", novelty)) if rank >= 0.8]
    return " and ".join(words) or "unlike the others here"


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shares of the values that each exceeds, 0 to 1."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1)


def _nearest(points: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distance of each point to the nearest of the others."""
    if not len(others):
        return np.zeros(len(points), np.float32)
    squares = (others**2).sum(axis=1)
    parts = [
        (squares - 2 * points[at : at + 512] @ others.T).min(axis=1)
        for at in range(0, len(points), 512)
    ]
    return np.concatenate(parts) + (points**2).sum(axis=1)


def _spread(points: NDArray[np.float32], worth: NDArray[np.float64], count: int) -> list[int]:
    """Places of the chosen, in the order of choice."""
    gaps = np.full(len(points), np.inf)
    chosen: list[int] = []
    left = np.ones(len(points), bool)
    for _ in range(min(count, len(points))):
        reach = np.minimum(gaps, gaps[np.isfinite(gaps)].max(initial=1.0))
        scores = np.where(left, worth * np.sqrt(reach), -1.0)
        best = int(scores.argmax())
        chosen.append(best)
        left[best] = False
        gaps = np.minimum(gaps, ((points - points[best]) ** 2).sum(axis=1))
    return chosen
