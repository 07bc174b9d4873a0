"""Are wrong labels found, and what is training without them worth?

Labels of training images are made wrong at random: another class, each alike. `shown` is the share
of them among the first tenth of the training and validation images that a run shows. Then a linear
head is fitted with all images and without those whose label looks wrong; its accuracy is that on
test images, whose labels are as they were. The last column says which of both `auto` took.

    ./dev bench strategies/label_errors --data ../shared/data/signdigits ../shared/data/clothing
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from components.label_check.executor import look_for_label_errors
from models.data.example_schema import TRAIN, VALIDATION
from models.embedding import EmbeddingSplit
from models.head.embedded_task import embedded_task
from models.head.frozen_probe import train_probe
from models.head.labelled_embeddings import LabelledEmbeddings
from pipeline.demo import write_digits

_SHARES = (0.05, 0.2, 0.0)
_VALIDATION = 0.18
_COLUMNS = (
    *("data", "planted", "seed", "looks wrong", "of them planted", "planted found", "shown"),
    *("keep", "drop", "auto drops"),
)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, default=1600, help="for training and validation")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    arguments = parser.parse_args()
    digits = arguments.cache / "digits"
    write_digits(digits)
    print(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    for data in (str(digits), *arguments.data):
        embedded = embed_set(data, arguments.size, arguments.cache)
        for share in _SHARES:
            for seed in range(arguments.seeds):
                measured = _measure(embedded, share, arguments.images, seed)
                cells = [embedded.name, f"{share:.0%}", str(seed), *measured]
                print(f"| {' | '.join(cells)} |", flush=True)


def _measure(data: Embedded, share: float, images: int, seed: int) -> Iterator[str]:
    random = np.random.default_rng([seed, round(100 * share)])
    order = random.permutation(data.train)[:images]
    classes = data.classes.copy()
    count = int(classes.max()) + 1
    wrong = order[: round(share * len(order))]
    classes[wrong] = (classes[wrong] + random.integers(1, count, len(wrong))) % count
    order = random.permutation(order)
    border = int(_VALIDATION * len(order))
    training = len(order) - border
    whole = _split(data, classes, np.roll(order, -border))
    splits = {TRAIN: whole.rows(slice(training)), VALIDATION: whole.rows(slice(training, None))}
    labels = tuple(f"{index:03}" for index in range(count))
    found = look_for_label_errors(whole, training, labels, "auto", seed=seed)
    suspects = {each.name for each in found.doubtful if each.is_suspect}
    planted = {str(row) for row in wrong}
    yield f"{len(suspects)} of {found.images}"
    hits = len(suspects & planted)
    yield f"{hits}"
    yield f"{hits / len(planted):.2f}" if planted else "–"
    tenth = {each.name for each in found.doubtful[: found.images // 10]}
    yield f"{len(tenth & planted) / min(len(planted), len(tenth)):.2f}" if planted else "–"
    yield from _accuracies(data, splits, labels, tuple(suspects))
    yield "yes" if found.is_cleaned else "no"


def _accuracies(
    data: Embedded,
    splits: dict[str, EmbeddingSplit],
    labels: tuple[str, ...],
    suspects: tuple[str, ...],
) -> Iterator[str]:
    """Of heads that were fitted with all images, and without the suspects."""
    test = LabelledEmbeddings(data.features[data.test], data.classes[data.test])
    for without in ((), suspects):
        task = embedded_task(splits[TRAIN], splits[VALIDATION], labels, without)
        yield f"{train_probe(task, 'none', test).test_accuracy:.3f}"


def _split(data: Embedded, classes: NDArray[np.int64], rows: NDArray[np.int64]) -> EmbeddingSplit:
    names = np.array([str(row) for row in rows])
    labels = np.array([f"{classes[row]:03}" for row in rows])
    return EmbeddingSplit(data.features[rows], labels, names, names)


if __name__ == "__main__":
    main()
