"""The starter library: histories that come with Graft, so that even a first search starts warm.

`benchmarks/warm_start/build_starter.py` makes it from searches on public image data. A history of
the very images that a new search is made on would give it its own answers, and figures that data
of one's own would not see again. So the library tells a sample of each history's images, and a
history is left out where the new data hold one of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from models.history.contribution import LeftOut
from models.storage.atomic_write import write_atomically

FOLDER = Path(__file__).with_name("starter")
"""Holds the histories, `*.jsonl`, and what `read_samples` reads."""

_IMAGES = "images.json"
"""Name of the file that holds the samples."""

_SAMPLE = 64
"""Images of a sample: half of the data, or a tenth of it, still hold some of them."""

_LETTERS = 16
"""Hex digits of an image's digest that are kept."""


def starter_files() -> tuple[Path, ...]:
    """The histories, in alphabetical order."""
    return tuple(sorted(FOLDER.glob("*.jsonl")))


def starter_digests() -> frozenset[str]:
    """SHA-256 of each history, so that a copy elsewhere is known for what it is."""
    return frozenset(hashlib.sha256(file.read_bytes()).hexdigest() for file in starter_files())


def starter_version() -> str:
    """Digest that changes with the library, 64 hex digits."""
    content = json.dumps([sorted(starter_digests()), read_samples()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def unrelated_files(images: Iterable[str]) -> tuple[list[Path], list[LeftOut]]:
    """The histories that were not made on any of these images, and the others.

    Args:
        images: SHA-256 digests of a data set's files, hex.
    """
    known = {digest[:_LETTERS] for digest in images}
    samples = read_samples()
    kept, left_out = [], []
    for file in starter_files():
        if known.isdisjoint(samples[file.name]):
            kept.append(file)
        else:
            reason = "it comes with Graft and was made on images that are in this data too"
            left_out.append(LeftOut(name=f"{file.stem} (starter)", reason=reason))
    return kept, left_out


def sample_images(digests: Iterable[str]) -> list[str]:
    """The smallest digests of a data set: a sample that depends on nothing but the images.

    Broder, On the resemblance and containment of documents (1997).

    Args:
        digests: SHA-256 of the files, hex.
    """
    return sorted({digest[:_LETTERS] for digest in digests})[:_SAMPLE]


def read_samples() -> dict[str, list[str]]:
    """Reads the samples, by the name of the history's file."""
    samples: dict[str, list[str]] = json.loads((FOLDER / _IMAGES).read_bytes())
    return samples


def write_samples(folder: Path, samples: Mapping[str, Sequence[str]]) -> None:
    """Writes what `read_samples` reads.

    Args:
        folder: of the library.
        samples: of `sample_images`, by the name of the history's file.
    """
    text = json.dumps(samples, indent=0, sort_keys=True)
    write_atomically(folder / _IMAGES, f"{text}\n".encode())
