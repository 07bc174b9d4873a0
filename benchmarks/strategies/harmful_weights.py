"""The situation with a file of weights that is not what it seems to be."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.quality.embedded import BACKBONE
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.progressive import Part, Start, answers_told
from models.backbone_choice.backbone_choice import Candidate
from models.backbones import build_backbone
from models.search.negative_transfer import choose_weights

_IMAGES: Final = 20
_IMAGENET, _RANDOM = "imagenet", "none"


def harmful_weights(data: Path, size: int, cache: Path) -> Iterator[Measurement]:
    """Weights in which the numbers of each array were shuffled."""
    name = f"shuffled weights, {_IMAGES} images a class"
    yield Measurement(name, partial(_shuffled, data, size, cache))


def _shuffled(data: Path, size: int, cache: Path, seed: int) -> Mapping[str, float]:
    file = cache / f"shuffled-{size}.weights.h5"
    if not file.exists():
        _write_shuffled(file, size)
    candidates = {
        weights: Candidate(backbone=BACKBONE, weights=weights, image_size=size)
        for weights in (str(file), _IMAGENET, _RANDOM)
    }
    found = {
        candidate: Start(weights, size, 1, cache, seed).measured(Part(data), _IMAGES, tuned=False)
        for weights, candidate in candidates.items()
    }
    answers = {candidate: answers_told(each["validation"]) for candidate, each in found.items()}
    asked, imagenet, random = candidates.values()
    chosen, _ = choose_weights(asked, answers)
    named = {"the file": asked, "random weights": random, "ImageNet's": imagenet, AUTO: chosen}
    return {name: found[candidate]["head"] for name, candidate in named.items()}


def _write_shuffled(file: Path, size: int) -> None:
    trunk = build_backbone(BACKBONE, _IMAGENET, size).trunk
    generator = np.random.default_rng(0)
    for weight in trunk.weights:
        weight.assign(generator.permutation(np.ravel(weight.numpy())).reshape(weight.shape))
    partial_file = file.with_name(f"partial-{file.name}")
    trunk.save_weights(partial_file)
    partial_file.rename(file)
