"""Does a head on frozen features gain from changed and mirrored views of its images?

For each data set, number of images a class and seed, a linear head is chosen and fitted as it is
exported: as it is, with three changed views of each image beside it, and with its mirror image; and
it answers test images as they are, and together with their mirror images, which takes twice the
time to serve. Where the head does not know mirror images, as of hand signs, none are used.

    ./dev bench quality/views --data ../shared/data/clothing ../shared/data/cifar10
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.quality.embedded import BACKBONE, Embedded, embed_set
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tables import over_the_first, table
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, compiled_decoding
from models.embedding.forward import Embedder
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.refit import refitted
from models.training.augmentation import changed_views, mirrored
from models.training.mirroring import is_harmless

_VIEWS = 3
_VALIDATION_SHARE = 0.18
_BATCH = 32

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def main() -> None:
    """Prints a table in Markdown, with a row for all sets of a number of images."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--images", type=int, nargs="+", default=[10, 50], help="a class")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "views.jsonl")
    found: dict[str, list[Mapping[str, float]]] = {}
    together: dict[str, list[Mapping[str, float]]] = {}
    for folder in options.data:
        views = Views(embed_set(folder, options.size, options.cache), options.size)
        for count in options.images:
            for seed in range(options.seeds):
                key = f"{Path(folder).resolve()} {options.size} {count} {seed}"
                draw = kept.get(key, partial(views.accuracies, count, seed))
                found.setdefault(f"{views.data.name}, {count} images a class", []).append(draw)
                together.setdefault(f"all sets, {count} images a class", []).append(draw)
    print(table({name: over_the_first(draws) for name, draws in (found | together).items()}))


@dataclass(frozen=True)
class Views:
    """A data set, and other views of its images.

    Attributes:
        data: as its images are.
        size: side in pixels.
    """

    data: Embedded
    size: int

    @cached_property
    def mirrored(self) -> Floats:
        """Features of the mirror images, float32 [n, d]."""
        return self._features(mirrored(self._pixels))

    def accuracies(self, images: int, seed: int) -> Mapping[str, float]:
        """Test accuracy of each way to use views, by so many images a class."""
        train, validation = self._draw(images, seed)
        may_mirror, rows = self._may_mirror(train, validation), np.concatenate([train, validation])
        mirror = [self.mirrored[rows]] if may_mirror else []
        random = np.random.default_rng([seed, 1])
        changed = [
            self._features(changed_views(self._pixels[rows], random, mirror=may_mirror))
            for _ in range(_VIEWS)
        ]
        head, test = self._exported(train, validation, []), self.data.test
        answers = _probabilities(head, self.data.features[test])
        asked_twice = answers + _probabilities(head, self.mirrored[test])
        return {
            "images as they are": self._accuracy(answers),
            "changed views too": self._asked(self._exported(train, validation, changed)),
            "mirror images too": self._asked(self._exported(train, validation, mirror)),
            "asked with the mirror image": self._accuracy(asked_twice if may_mirror else answers),
        }

    def _draw(self, images: int, seed: int) -> tuple[Rows, Rows]:
        """Rows to train and to validate on, at most so many of each class together."""
        order = np.random.default_rng(seed).permutation(self.data.train)
        drawn = [
            order[self.data.classes[order] == each][:images] for each in range(self.data.count)
        ]
        held = [max(1, round(_VALIDATION_SHARE * len(rows))) for rows in drawn]
        train = [rows[count:] for rows, count in zip(drawn, held, strict=True)]
        validation = [rows[:count] for rows, count in zip(drawn, held, strict=True)]
        return np.concatenate(train), np.concatenate(validation)

    def _may_mirror(self, train: Rows, validation: Rows) -> bool:
        """As a run finds it out (`models.training.mirroring`)."""
        task = self._task(train, validation)
        head, classes = fit_frozen_head(task).model, task.validation.classes
        views = task.validation.embeddings, self.mirrored[validation]
        right = [(_probabilities(head, each).argmax(axis=1) == classes).mean() for each in views]
        return is_harmless(*map(float, right))

    def _exported(self, train: Rows, validation: Rows, views: Sequence[Floats]) -> keras.Model:
        """The linear head, which learns from views of the training and validation images too."""
        task = self._task(train, validation)
        grown = replace(task, train=_grown(task.train, [each[: len(train)] for each in views]))
        head = fit_frozen_head(grown)
        last = _grown(task.validation, [each[len(train) :] for each in views])
        return refitted(head, replace(grown, validation=last))

    def _task(self, train: Rows, validation: Rows) -> HeadTask:
        labelled = self.data.labelled
        return HeadTask(labelled(train), labelled(validation), self.data.count)

    def _asked(self, head: keras.Model) -> float:
        return self._accuracy(_probabilities(head, self.data.features[self.data.test]))

    def _accuracy(self, answers: Floats) -> float:
        return float((answers.argmax(axis=1) == self.data.classes[self.data.test]).mean())

    @cached_property
    def _pixels(self) -> Floats:
        decode = compiled_decoding(ImageSpec(self.size))
        return np.stack([decode(Path(path).read_bytes()).numpy() for path in self.data.paths])

    def _features(self, images: Floats) -> Floats:
        batches = np.array_split(images, range(_BATCH, len(images), _BATCH))
        return np.concatenate([self._embedder.forward(batch).numpy() for batch in batches])

    @cached_property
    def _embedder(self) -> Embedder:
        backbone = build_backbone(BACKBONE, "imagenet", self.size, features="all")
        return Embedder(backbone, ImageSpec(self.size))


def _grown(rows: LabelledEmbeddings, views: Sequence[Floats]) -> LabelledEmbeddings:
    return LabelledEmbeddings(
        np.concatenate([rows.embeddings, *views]), np.tile(rows.classes, 1 + len(views))
    )


def _probabilities(head: keras.Model, rows: Floats) -> Floats:
    return np.asarray(softmax(head.predict(rows, batch_size=1024, verbose=0), axis=1), np.float32)


if __name__ == "__main__":
    main()
