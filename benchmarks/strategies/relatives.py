"""How far apart are the images of related tasks, and of others?

    ./dev bench strategies/relatives --tasks ../shared/data/clothing ../shared/data/scene15

Related are the classes with even and odd places of one set, and whatever is named by `--pairs`;
all others are not. The distance is the product's (`models.search.relatives`), by
EfficientNet-Lite0. The scikit-learn digits are always a task.
"""

import argparse
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.quality.embedded import BACKBONE, Embedded, embed_set
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.history.records import TaskDescription
from models.search.relatives import MOST_APART, distance
from pipeline.demo import write_digits

_LEAST_CLASSES: Final = 4


def main() -> None:
    """Prints a table in Markdown, the nearest first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--pairs", nargs="*", default=[], help="folders of related tasks, in twos")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    write_digits(options.cache / "digits")
    tasks = [str(options.cache / "digits"), *options.tasks, *options.pairs]
    sets = [embed_set(task, options.size, options.cache) for task in dict.fromkeys(tasks)]
    if small := [data.name for data in sets if data.count < _LEAST_CLASSES]:
        parser.error(
            f"each set is halved by its classes, so {_LEAST_CLASSES} are needed; leave out "
            f"{', '.join(small)}"
        )
    halves = {
        (data.name, name): _described(data, options.size, place)
        for data in sets
        for place, name in enumerate(("even", "odd"))
    }
    named = [Path(each).name for each in options.pairs]
    pairs = {frozenset(named[place : place + 2]) for place in range(0, len(named), 2)}
    rows = []
    for (one, first), (other, second) in combinations(halves.items(), 2):
        apart = distance(first, second)
        assert apart is not None
        is_related = one[0] == other[0] or frozenset((one[0], other[0])) in pairs
        rows.append((apart, " ".join(one), " ".join(other), is_related))
    print("| classes of | beside | related | apart | suggested |")
    print("|---|---|---|---|---|")
    for apart, left, right, is_related in sorted(rows):
        words = ["yes" if each else "no" for each in (is_related, apart <= MOST_APART)]
        print(f"| {left} | {right} | {words[0]} | {apart:.2f} | {words[1]} |")


def _described(data: Embedded, size: int, place: int) -> TaskDescription:
    rows = np.flatnonzero(data.classes % 2 == place)
    split = LabelledEmbeddings(data.features[rows], data.classes[rows] // 2)
    task = HeadTask(split, split, int(split.classes.max()) + 1)
    return describe(task, Origin(BACKBONE, "imagenet", "", size, f"{data.name} {place}"))


if __name__ == "__main__":
    main()
