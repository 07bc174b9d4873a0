"""What does each strategy of transfer gain in the situation that it is for, and what does it cost?

    ./dev bench strategies/run --tasks ../shared/data/clothing ../shared/data/signdigits
    ./dev bench strategies/run --tasks ../shared/data/clothing --size 64 --only fine-tuned

A task is any folder that Graft reads. Situations are made out of it: few labelled images, the same
beside images without labels, images of another domain, new classes, wrong labels, and weights that
harm, on the features of the frozen backbone; and what fine-tuning adds, which takes long and whose
names begin with "fine-tuned". In each, "auto" is what a run comes to by itself; the last table says
whether anything is better. What was measured is kept in the cache folder, so that a run that was
broken off goes on.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks.quality.embedded import embed_set
from benchmarks.strategies.continual import new_classes
from benchmarks.strategies.few_images_choice import head_or_fine_tuned
from benchmarks.strategies.few_labels import few_labels, unlabelled_beside
from benchmarks.strategies.harmful_weights import harmful_weights
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.label_errors import wrong_labels
from benchmarks.strategies.measurement import Measurement
from benchmarks.strategies.multi_task import two_columns
from benchmarks.strategies.progressive import related_first
from benchmarks.strategies.refit import linear_heads
from benchmarks.strategies.several_models import beside_unlabelled
from benchmarks.strategies.tables import over_the_first, table, verdicts
from benchmarks.strategies.target import target_situations
from benchmarks.strategies.towards_pretrained import near_the_weights
from benchmarks.strategies.tuned_on_copies import target_fine_tuned
from benchmarks.strategies.tuned_on_wrong_labels import fine_tuned_wrong_labels


def main() -> None:
    """Prints two tables in Markdown: of all strategies, and of what is made by itself."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--only", nargs="+", default=[""], help="beginnings of situations' names")
    parser.add_argument("--skip", nargs="+", default=[], help="beginnings of situations' names")
    parser.add_argument("--seconds", type=float, default=1e9, help="to begin a measurement in")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept, begun = Kept(options.cache / "results.jsonl"), time.monotonic()
    found: dict[str, list[Mapping[str, float]]] = {}
    aside: dict[str, frozenset[str]] = {}
    left = 0
    for task in map(Path, options.tasks):
        for measurement in _measurements(task, options.size, options.cache):
            name = measurement.name
            if not name.startswith(tuple(options.only)) or name.startswith(tuple(options.skip)):
                continue
            for seed in range(options.seeds):
                key = f"{task} {options.size} {name} {seed}"
                if key not in kept and time.monotonic() - begun > options.seconds:
                    left += 1
                    continue
                accuracies = kept.get(key, partial(measurement.measure, seed))
                if accuracies:
                    found.setdefault(name, []).append(accuracies)
                    aside[name] = measurement.aside
    print(table({name: over_the_first(draws) for name, draws in found.items()}))
    print("", verdicts(found, aside), sep="\n")
    if left:
        print(f"\nNot measured yet: {left} draws. The same command goes on with them.")


def _measurements(task: Path, size: int, cache: Path) -> Iterator[Measurement]:
    data = embed_set(str(task), size, cache)
    yield from few_labels(data)
    yield from linear_heads(data)
    yield from unlabelled_beside(data)
    yield from target_situations(task, size)
    yield from new_classes(data)
    yield from wrong_labels(data)
    yield from harmful_weights(task, size, cache)
    yield from head_or_fine_tuned(task, size)
    yield from near_the_weights(task, size)
    yield from beside_unlabelled(task, size)
    yield from target_fine_tuned(task, size)
    yield from two_columns(task, size)
    yield from related_first(task, size, cache)
    yield from fine_tuned_wrong_labels(task, size)


if __name__ == "__main__":
    main()
