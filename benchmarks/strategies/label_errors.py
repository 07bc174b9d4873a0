"""Are wrong labels found, and what is training without them worth?

Labels of training and validation images are made wrong: those of another class, each alike, or of
the class that looks most like the true one. A head is fitted as a run fits the one that it exports,
with all images (`keep`), without those whose label looks wrong (`drop`), and as by itself (`auto`);
its accuracy is that on test images, whose labels are as they were. Of the images there are all,
twenty of each class, or a hundred and sixty of one class down to sixteen of another.

    ./dev bench strategies/label_errors --data ../shared/data/signdigits ../shared/data/clothing

What was measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.heads import exported_head
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.tables import interval
from components.label_check.executor import look_for_label_errors
from models.data.example_schema import TRAIN, VALIDATION
from models.embedding import EmbeddingSplit
from models.head.embedded_task import embedded_task
from models.head.frozen_head import fit_frozen_head
from models.head.label_handling import LabelErrors
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings
from pipeline.demo import write_digits

_SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
_SOME_SHARES: Final = (0.0, 0.05, 0.2, 0.4)
"""Where images are few."""
_BESIDE_OTHERS: Final = (0.0, 0.2)
"""Where this is one situation among others."""
_OTHER, _ALIKE = "of any class", "of the class most alike"
_ALL, _FEW, _UNBALANCED = "all images", "20 of each class", "160 to 16 of a class"
_MOST, _RAREST, _COMMONEST, _FEW_IMAGES = 1600, 16, 160, 20
_VALIDATION: Final = 0.18
_HANDLINGS: Final[tuple[LabelErrors, ...]] = ("drop", "auto")
_COLUMNS: Final = (
    *("images", "wrong labels", "share", "draws", "look wrong", "of the wrong", "left out"),
    *("of these wrong", "keep", "drop − keep [95 %]", "worst", "auto − keep [95 %]", "worst"),
    "rarest third of the classes, auto − keep",
)

Rows = NDArray[np.int64]
Figures = Mapping[str, float]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1e9, help="to begin a measurement in")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    options = parser.parse_args()
    digits = options.cache / "digits"
    write_digits(digits)
    kept, begun = Kept(options.cache / "label_errors.jsonl"), time.monotonic()
    found: dict[tuple[str, str, float], list[Figures]] = {}
    left = 0
    for seed, data in product(range(options.seeds), (str(digits), *options.data)):
        embedded = embed_set(data, options.size, options.cache)
        for images, wrong, share in _situations():
            key = f"{data} {options.size} {images}, {wrong}, {share} {seed}"
            if key not in kept and time.monotonic() - begun > options.seconds:
                left += 1
                continue
            figures = kept.get(key, partial(_measured, embedded, images, wrong, share, seed))
            found.setdefault((images, wrong, share), []).append(figures)
    print(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    for (images, wrong, share), draws in found.items():
        print(f"| {images} | {wrong} | {share:.0%} | {' | '.join(_cells(draws))} |")
    if left:
        print(f"\nNot measured yet: {left} draws. The same command goes on with them.")


def wrong_labels(data: Embedded) -> Iterator[Measurement]:
    """A share of the labels is wrong."""
    for images, wrong, share in _situations():
        if share not in _BESIDE_OTHERS:
            continue
        name = f"{share:.0%} of the labels wrong, {wrong}, {images}"
        yield Measurement(name, partial(_accuracies, data, images, wrong, share))


def _accuracies(data: Embedded, images: str, wrong: str, share: float, seed: int) -> Figures:
    found = _measured(data, images, wrong, share, seed)
    named = {f"label_errors: {each}": found[each] for each in ("keep", *_HANDLINGS)}
    return {**named, AUTO: found[TrainingSettings().label_errors]}


def _situations() -> Iterator[tuple[str, str, float]]:
    for images in (_ALL, _FEW, _UNBALANCED):
        for share in _SHARES if images == _ALL else _SOME_SHARES:
            for wrong in (_OTHER, _ALIKE) if share else (_OTHER,):
                yield images, wrong, share


def _measured(data: Embedded, images: str, wrong: str, share: float, seed: int) -> Figures:
    random = np.random.default_rng([seed, round(100 * share)])
    rows = _drawn(data, images, random)
    changed = rows[: round(share * len(rows))]
    classes = data.classes.copy()
    others = (classes[changed] + random.integers(1, data.count, len(changed))) % data.count
    classes[changed] = others if wrong == _OTHER else _most_alike(data)[classes[changed]]
    planted = {str(row) for row in changed}
    rows = random.permutation(rows)
    training = len(rows) - int(_VALIDATION * len(rows))
    whole = _split(data, classes, rows)
    labels = tuple(f"{index:03}" for index in range(data.count))
    rare = np.argsort(np.bincount(data.classes[rows], minlength=data.count))[: data.count // 3]
    tested = data.labelled(data.test)
    is_rare = np.isin(tested.classes, rare)
    left_out: dict[str, tuple[str, ...]] = {"keep": ()}
    for handling in _HANDLINGS:
        found = look_for_label_errors(whole, training, labels, handling, seed=seed)
        left_out[handling] = found.left_out
    figures: dict[str, float] = {}
    heads = {each: _head(whole, training, labels, each) for each in set(left_out.values())}
    for name, images_out in left_out.items():
        answers = heads[images_out].predict(tested.embeddings, batch_size=1024, verbose=0)
        right = answers.argmax(axis=1) == tested.classes
        figures[name] = float(right.mean())
        figures[f"{name}, rare"] = float(right[is_rare].mean())
    suspects = {each.name for each in found.doubtful if each.is_suspect}
    return {
        **figures,
        "looks wrong": len(suspects) / len(rows),
        "found": len(suspects & planted) / max(1, len(planted)),
        "left out": len(found.left_out) / len(rows),
        "rightly": len(planted.intersection(found.left_out)) / max(1, len(found.left_out)),
    }


def _drawn(data: Embedded, images: str, random: np.random.Generator) -> Rows:
    order = random.permutation(data.train)
    if images == _ALL:
        return order[:_MOST]
    falling = np.geomspace(_COMMONEST, _RAREST, data.count)
    most = falling if images == _UNBALANCED else np.full(data.count, _FEW_IMAGES)
    each = [order[data.classes[order] == k][: round(most[k])] for k in range(data.count)]
    return random.permutation(np.concatenate(each))


def _most_alike(data: Embedded) -> Rows:
    """Of each class the one whose mean lies nearest."""
    features, classes = data.features[data.train], data.classes[data.train]
    scaled = features / (features.std(axis=0) + 1e-6)
    means = np.stack([scaled[classes == each].mean(axis=0) for each in range(data.count)])
    distances = np.square(means[:, None] - means[None]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


def _head(
    whole: EmbeddingSplit, training: int, labels: tuple[str, ...], left_out: Sequence[str]
) -> keras.Model:
    splits = {TRAIN: whole.rows(slice(training)), VALIDATION: whole.rows(slice(training, None))}
    task = embedded_task(splits[TRAIN], splits[VALIDATION], labels, left_out)
    return exported_head(fit_frozen_head(task), Situation(task, TrainingSettings()))


def _split(data: Embedded, classes: Rows, rows: Rows) -> EmbeddingSplit:
    names = np.array([str(row) for row in rows])
    labels = np.array([f"{classes[row]:03}" for row in rows])
    return EmbeddingSplit(data.features[rows], labels, names, names)


def _cells(draws: Sequence[Figures]) -> Iterator[str]:
    """Of the table, from the fourth column on."""
    of = {name: np.array([each[name] for each in draws]) for name in draws[0]}
    yield f"{len(draws)}"
    for name in ("looks wrong", "found", "left out", "rightly"):
        yield f"{of[name].mean():.1%}"
    yield f"{of['keep'].mean():.3f}"
    for name in ("drop", "auto"):
        gains = of[name] - of["keep"]
        yield interval(gains)
        yield f"{100 * gains.min():+.1f}"
    yield interval(of["auto, rare"] - of["keep, rare"])


if __name__ == "__main__":
    main()
