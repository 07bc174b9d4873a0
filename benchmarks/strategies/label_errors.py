"""Are wrong labels found, and what is training without them worth?

Labels of training images are made wrong at random: another class, each alike. `shown` is the share
of them among the first tenth of the training and validation images that a run shows. Then a linear
head is fitted with all images and without those whose label looks wrong; its accuracy is that on
test images, whose labels are as they were. The last column says which of both `auto` took.

    ./dev bench strategies/label_errors --data ../shared/data/signdigits ../shared/data/clothing
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.heads import accuracy
from benchmarks.strategies.measurement import AUTO, Measurement
from components.label_check.executor import look_for_label_errors
from models.data.example_schema import TRAIN, VALIDATION
from models.embedding import EmbeddingSplit
from models.head.embedded_task import embedded_task
from models.head.frozen_head import fit_frozen_head
from models.training.training_settings import TrainingSettings
from pipeline.demo import write_digits

_SHARES = (0.05, 0.2, 0.0)
_VALIDATION = 0.18
_IMAGES = 1600
_COLUMNS = (
    *("data", "planted", "seed", "looks wrong", "of them planted", "planted found", "shown"),
    *("keep", "drop", "auto drops"),
)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, default=_IMAGES, help="for training and validation")
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
                found = _measured(embedded, share, arguments.images, seed)
                cells = [embedded.name, f"{share:.0%}", str(seed), *found.cells()]
                print(f"| {' | '.join(cells)} |", flush=True)


def wrong_labels(data: Embedded) -> Iterator[Measurement]:
    """A share of the labels is wrong."""
    for share in _SHARES:
        yield Measurement(f"{share:.0%} of the labels wrong", partial(_accuracies, data, share))


def _accuracies(data: Embedded, share: float, seed: int) -> Mapping[str, float]:
    found = _measured(data, share, _IMAGES, seed)
    figures = {"keep": found.keep, "drop": found.drop}
    figures["auto"] = figures["drop" if found.is_cleaned else "keep"]
    named = {f"label_errors: {name}": figure for name, figure in figures.items()}
    return {**named, AUTO: figures[TrainingSettings().label_errors]}


@dataclass(frozen=True)
class _Found:
    """What was found, and what it is worth.

    Attributes:
        images: that were weighed.
        suspects: whose label is taken for wrong.
        planted: wrong labels.
        hits: suspects that are planted.
        shown: share of the planted ones, or of as many as fit, in the first tenth that is shown.
        keep: test accuracy of a head that was fitted to all images.
        drop: of one that was fitted without the suspects.
        is_cleaned: whether `training.label_errors: auto` leaves them out.
    """

    images: int
    suspects: int
    planted: int
    hits: int
    shown: float
    keep: float
    drop: float
    is_cleaned: bool

    def cells(self) -> Iterator[str]:
        """Of the table, from the fourth column on."""
        yield f"{self.suspects} of {self.images}"
        yield f"{self.hits}"
        yield f"{self.hits / self.planted:.2f}" if self.planted else "–"
        yield f"{self.shown:.2f}" if self.planted else "–"
        yield f"{self.keep:.3f}"
        yield f"{self.drop:.3f}"
        yield "yes" if self.is_cleaned else "no"


def _measured(data: Embedded, share: float, images: int, seed: int) -> _Found:
    random = np.random.default_rng([seed, round(100 * share)])
    order = random.permutation(data.train)[:images]
    classes = data.classes.copy()
    wrong = order[: round(share * len(order))]
    classes[wrong] = (classes[wrong] + random.integers(1, data.count, len(wrong))) % data.count
    order = random.permutation(order)
    border = int(_VALIDATION * len(order))
    training = len(order) - border
    whole = _split(data, classes, np.roll(order, -border))
    splits = {TRAIN: whole.rows(slice(training)), VALIDATION: whole.rows(slice(training, None))}
    labels = tuple(f"{index:03}" for index in range(data.count))
    found = look_for_label_errors(whole, training, labels, "auto", seed=seed)
    suspects = {each.name for each in found.doubtful if each.is_suspect}
    planted = {str(row) for row in wrong}
    tenth = {each.name for each in found.doubtful[: found.images // 10]}
    keep, drop = _of_both(data, splits, labels, tuple(suspects))
    return _Found(
        images=found.images,
        suspects=len(suspects),
        planted=len(planted),
        hits=len(suspects & planted),
        shown=len(tenth & planted) / max(1, min(len(planted), len(tenth))),
        keep=keep,
        drop=drop,
        is_cleaned=found.is_cleaned,
    )


def _of_both(
    data: Embedded,
    splits: dict[str, EmbeddingSplit],
    labels: tuple[str, ...],
    suspects: tuple[str, ...],
) -> tuple[float, float]:
    """Test accuracy of heads that were fitted with all images, and without the suspects."""
    with_all, without = (
        fit_frozen_head(embedded_task(splits[TRAIN], splits[VALIDATION], labels, left_out)).model
        for left_out in ((), suspects)
    )
    test = data.labelled(data.test)
    return accuracy(with_all, test), accuracy(without, test)


def _split(data: Embedded, classes: NDArray[np.int64], rows: NDArray[np.int64]) -> EmbeddingSplit:
    names = np.array([str(row) for row in rows])
    labels = np.array([f"{classes[row]:03}" for row in rows])
    return EmbeddingSplit(data.features[rows], labels, names, names)


if __name__ == "__main__":
    main()
