"""What the linear heads of a night cost: of many images, and of a few more beside what is known.

Drawn photos (`synthetic_images.py`) are embedded once and kept in `--out`. Then the fits of a first
run and of the night after it are made as the stages make them, each for itself.

    ./dev bench scale/heads --images 20000 --new 200
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from synthetic_images import CLASSES, photo

from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec
from models.embedding.forward import Embedder
from models.head.earlier_head import EarlierHead, EarlierProbe
from models.head.frozen_head import Solution, fit_frozen_head
from models.head.label_errors import LabelDoubts, doubt_labels
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.out_of_fold import FoldedHeads

_PART = 1_000
_PIXELS = 64
_SHARES = (0.7, 0.85)
"""Of the images, to train on; and with those to validate on."""

Result = TypeVar("Result")


def main() -> None:
    """Fits, and prints the seconds of each fit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--new", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/heads"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    whole = _images(options.images + options.new, options.out)
    drawn = np.random.default_rng(0).random(len(whole.classes))
    first = _task(whole.rows(np.arange(options.images)), drawn[: options.images])
    night = _task(whole, drawn)
    print(f"{len(night.train.classes):,} images of {whole.embeddings.shape[1]:,} features")
    found = _timed("first head", lambda: fit_frozen_head(first)).solution
    _timed("night: alone", lambda: fit_frozen_head(night))
    probe, earlier = _known(found)
    _timed("night: beside the first", lambda: fit_frozen_head(night, probe=probe))
    _timed("night: drawn to the first", lambda: fit_frozen_head(night, earlier=earlier))
    images = night.labelled
    _timed("look for wrong labels", lambda: _looked_at_twice(images))


def _looked_at_twice(images: LabelledEmbeddings) -> LabelDoubts:
    heads = FoldedHeads(images, CLASSES)
    doubts = doubt_labels(images.classes, heads.probabilities())
    return doubt_labels(images.classes, heads.probabilities(doubts.is_suspect))


def _images(count: int, folder: Path) -> LabelledEmbeddings:
    """Embeds what an earlier call has not."""
    backbone = build_backbone("EfficientNetLite0", "imagenet", _PIXELS, features="all")
    embedder = Embedder(backbone, ImageSpec(_PIXELS))
    parts = []
    for at in range(0, count, _PART):
        numbers = range(at, min(at + _PART, count))
        file = folder / f"{numbers.start}-{numbers.stop}.npy"
        if not file.exists():
            np.save(file, embedder.embed([photo(number) for number in numbers]))
        parts.append(np.load(file))
    return LabelledEmbeddings(np.concatenate(parts), np.arange(count) % CLASSES)


def _task(images: LabelledEmbeddings, drawn: NDArray[np.float64]) -> HeadTask:
    train, validation = (
        images.rows((drawn >= low) & (drawn < high)) for low, high in ((0.0, _SHARES[0]), _SHARES)
    )
    return HeadTask(train, validation, CLASSES)


def _known(found: Solution) -> tuple[EarlierProbe, EarlierHead]:
    """What the night finds of the first run."""
    heads = {
        strength: EarlierHead(found.mean, found.variance, *head)
        for strength, head in found.linear.solutions.items()
    }
    return EarlierProbe(heads, found.linear.strength), heads[found.linear.strength]


def _timed(name: str, work: Callable[[], Result]) -> Result:
    begin, used = time.monotonic(), time.process_time()
    result = work()
    wall, processor = time.monotonic() - begin, time.process_time() - used
    print(f"{name:28} {processor:6.1f} s of processor time {wall:6.1f} s by the clock", flush=True)
    return result


if __name__ == "__main__":
    main()
