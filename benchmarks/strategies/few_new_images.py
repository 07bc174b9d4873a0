"""Is a head that goes on from an earlier one better on few new images of the classes it knows?

    ./dev bench strategies/few_new_images --tasks ../shared/data/signdigits ../shared/data/clothing

A task is any folder that Graft reads. A linear head on frozen features learns half of its images;
then some of each class come from the other half, to train and to validate on. Arms are the head
before, one of the new images alone, and one of these that goes on from the head before, as
`training.start: champion` makes it, before it is fitted once more. What was measured is kept in the
cache folder.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.heads import accuracy
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tables import over_the_first, table
from models.head.earlier_head import EarlierHead
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask

_VALIDATION = 0.18

Rows = NDArray[np.int64]


def main() -> None:
    """Prints a table in Markdown: gains are over the head before."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=[2, 5, 10, 20], help="a class")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "few_new_images.jsonl")
    found: dict[str, list[Mapping[str, float]]] = {}
    for folder in options.tasks:
        data = embed_set(folder, options.size, options.cache)
        for count in options.images:
            for seed in range(options.seeds):
                key = f"{Path(folder).resolve()} {options.size} {count} {seed}"
                draw = kept.get(key, partial(_accuracies, data, count, seed))
                found.setdefault(f"{count} new images a class", []).append(draw)
    print(table({name: over_the_first(draws) for name, draws in found.items()}))


def _accuracies(data: Embedded, images: int, seed: int) -> Mapping[str, float]:
    order = np.random.default_rng(seed).permutation(data.train)
    seen, fresh = np.array_split(order, 2)
    before = fit_frozen_head(_task(data, seen))
    known = before.solution
    earlier = EarlierHead(known.mean, known.variance, known.linear.kernel, known.linear.bias)
    few = _task(data, _of_each(data, fresh, images))
    asked = data.labelled(data.test)
    return {
        "the head before": accuracy(before.model, asked),
        "of the new images alone": accuracy(fit_frozen_head(few).model, asked),
        "from the head before": accuracy(fit_frozen_head(few, earlier=earlier).model, asked),
    }


def _of_each(data: Embedded, rows: Rows, images: int) -> Rows:
    """The first rows of each class, in turn, so that every class is among those held out."""
    by_class = [rows[data.classes[rows] == each] for each in range(data.count)]
    turns = [some[turn] for turn in range(images) for some in by_class if turn < len(some)]
    return np.array(turns, np.int64)


def _task(data: Embedded, rows: Rows) -> HeadTask:
    held = max(data.count, round(_VALIDATION * len(rows)))
    return HeadTask(data.labelled(rows[held:]), data.labelled(rows[:held]), data.count)


if __name__ == "__main__":
    main()
