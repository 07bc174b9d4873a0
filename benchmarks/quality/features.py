"""Does a linear head see more in the features of all blocks than in the last ones?

For each data set, number of images a class and seed: training and validation images are drawn, a
linear head is fitted on either kind of features, and both are judged on the same test images.

    ./dev bench quality/features --data ../shared/data/clothing ../shared/data/cifar10
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings

_VALIDATION_SHARE = 0.15


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, nargs="+", default=[20, 50, 100], help="a class")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    arguments = parser.parse_args()
    print("| data | images a class | last | all | gain, points ± standard error |")
    print("|---|---|---|---|---|")
    for data in arguments.data:
        embedded = embed_set(data, arguments.size, arguments.cache)
        for count in arguments.images:
            pairs = np.array(
                [_accuracies(embedded, count, seed) for seed in range(arguments.seeds)]
            )
            last, every = pairs.mean(axis=0)
            gains = 100 * (pairs[:, 1] - pairs[:, 0])
            error = gains.std(ddof=1) / np.sqrt(len(gains))
            figures = f"{last:.3f} | {every:.3f} | {gains.mean():+.1f} ± {error:.1f}"
            print(f"| {embedded.name} | {count} | {figures} |", flush=True)


def _accuracies(data: Embedded, images: int, seed: int) -> tuple[float, float]:
    """Test accuracies with the last features and with those of all blocks."""
    drawn = _draw(data, images, seed)
    validation = drawn[: max(round(_VALIDATION_SHARE * len(drawn)), data.classes.max() + 1)]
    train = drawn[len(validation) :]
    return _judge(data, train, validation, data.last), _judge(data, train, validation, None)


def _draw(data: Embedded, images: int, seed: int) -> NDArray[np.int64]:
    """At most so many rows of each class, in random order."""
    order = np.random.default_rng(seed).permutation(data.train)
    places = np.zeros(len(order), np.int64)
    for each in np.unique(data.classes):
        rows = np.flatnonzero(data.classes[order] == each)
        places[rows] = np.arange(len(rows))
    return order[places < images]


def _judge(
    data: Embedded,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    dimensions: int | None,
) -> float:
    features = data.features[:, :dimensions]

    def rows(chosen: NDArray[np.int64]) -> LabelledEmbeddings:
        return LabelledEmbeddings(features[chosen], data.classes[chosen])

    task = HeadTask(rows(train), rows(validation), int(data.classes.max()) + 1)
    head = fit_frozen_head(task).model
    logits = head.predict(features[data.test], batch_size=1024, verbose=0)
    return float((logits.argmax(axis=1) == data.classes[data.test]).mean())


if __name__ == "__main__":
    main()
