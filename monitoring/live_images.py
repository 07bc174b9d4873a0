"""Finds images again that an alarm names, with what the model said of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.observation.kept_images import kept_image
from models.observation.reference import Reference
from models.observation.request_log_files import LogFile, LogFileError, log_files

_MOST_FILES: Final = 20
"""An alarm names new images, which lie in the newest files."""
_COLUMNS: Final = ("digest", "request_id", "class_ids", "confidence", "projection")


@dataclass(frozen=True, eq=False)
class LiveImage:
    """An image that the server was asked about.

    Attributes:
        digest: SHA-256 of its bytes, hex.
        request_id: of the request that brought it.
        class_name: what the model said.
        confidence: calibrated probability of that.
        image: its bytes; None where they are not kept.
        nearest: index of the held-out image that is nearest to it.
    """

    digest: str
    request_id: str
    class_name: str
    confidence: float
    image: bytes | None
    nearest: int


def live_images(log: Path, digests: Collection[str], reference: Reference) -> dict[str, LiveImage]:
    """Looks for images in the newest files of the log.

    Args:
        log: folder of the request log.
        digests: SHA-256 of the images' bytes, hex.
        reference: of the version that answered.

    Returns:
        Digest to image, of those that were found.
    """
    found: dict[str, LiveImage] = {}
    for file in reversed(log_files(log)[-_MOST_FILES:]):
        missing = set(digests) - set(found)
        if not missing:
            break
        found |= {each.digest: each for each in _in_file(file, log, missing, reference)}
    return found


def _in_file(
    file: LogFile, log: Path, digests: set[str], reference: Reference
) -> Iterator[LiveImage]:
    width = reference.directions.shape[1]
    try:
        for batch in file.batches():
            rows = batch.filter(pc.is_in(batch["digest"], value_set=_texts(digests)))
            for row in rows.select(_COLUMNS).to_pylist():
                projection, classes = row["projection"], row["class_ids"]
                if not classes or projection is None or len(projection) != width:
                    continue
                yield LiveImage(
                    row["digest"],
                    row["request_id"],
                    _name(reference, classes[0]),
                    float(row["confidence"] or 0.0),
                    kept_image(log, row["digest"]),
                    _nearest(reference, np.asarray(projection, np.float32)),
                )
    except LogFileError:
        return  # the reader of the log names it


def _texts(digests: set[str]) -> pa.Array:
    return pa.array(sorted(digests), pa.string())


def _name(reference: Reference, number: int) -> str:
    return reference.classes[number] if 0 <= number < len(reference.classes) else "unknown"


def _nearest(reference: Reference, projection: NDArray[np.float32]) -> int:
    gaps = reference.projections.astype(np.float32) - projection
    return int(np.einsum("nc,nc->n", gaps, gaps).argmin())
