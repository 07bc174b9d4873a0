"""What is a fine-tuned model worth where labels are wrong, and without the images left out?

Both are the product's own training, to its very end, with all images (`keep`) and without those
that a run leaves out by itself (`auto`). Labels to train and to validate on are made wrong as by
`benchmarks.strategies.label_errors`; those of test images are as they were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.search.small_task import LabelledFile, SmallTask, split_files
from benchmarks.strategies.by_itself import accuracy_by_itself
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.top_tuning import prepared_backbone
from components.label_check.executor import look_for_label_errors
from models.data.example_schema import TRAIN, VALIDATION
from models.embedding.extraction import embed_together
from models.training.training_settings import TrainingSettings

_IMAGES, _TEST, _CLASSES = 25, 400, 10
_VALIDATION: Final = 0.15 / 0.85
_SHARES: Final = (0.0, 0.2)


def fine_tuned_wrong_labels(data: Path, size: int) -> Iterator[Measurement]:
    """A share of the labels of twenty-five images a class is wrong."""
    for share in _SHARES:
        name = f"fine-tuned, {_IMAGES} images a class, {share:.0%} of the labels wrong"
        yield Measurement(name, partial(_measured, data, size, share))


def _measured(data: Path, size: int, share: float, seed: int) -> Mapping[str, float]:
    held = round(_IMAGES * _VALIDATION)
    classes = len(split_files(data, 1, 0, _CLASSES).labels)
    task = split_files(data, _IMAGES, held * classes, _CLASSES, test=_TEST, seed=seed)
    task = _with_wrong_labels(task, share, seed)
    settings = TrainingSettings()
    with TemporaryDirectory() as folder:
        left_out = _left_out(task, Path(folder), size, settings, seed)
        arms = {"label_errors: keep": (), AUTO: left_out}
        found = {}
        for name, names in arms.items():
            scratch = Path(folder) / name.split()[-1]
            prepared = prepared_backbone(task, scratch, size, settings, seed, names)
            found[name] = accuracy_by_itself(prepared, settings, scratch / "training")
        return found


def _with_wrong_labels(task: SmallTask, share: float, seed: int) -> SmallTask:
    random = np.random.default_rng(seed)

    def changed(files: tuple[LabelledFile, ...]) -> tuple[LabelledFile, ...]:
        wrong = set(random.permutation(len(files))[: round(share * len(files))].tolist())
        return tuple(
            replace(file, label=_other(file.label, task.labels, random)) if row in wrong else file
            for row, file in enumerate(files)
        )

    return replace(task, train=changed(task.train), validation=changed(task.validation))


def _other(label: str, labels: tuple[str, ...], random: np.random.Generator) -> str:
    return str(random.choice([each for each in labels if each != label]))


def _left_out(
    task: SmallTask, folder: Path, size: int, settings: TrainingSettings, seed: int
) -> tuple[str, ...]:
    """Names of the images that a run leaves out by itself."""
    prepared = prepared_backbone(task, folder / "looked at", size, settings, seed)
    images, (training, _) = embed_together(
        str(folder / "looked at" / "examples"),
        (TRAIN, VALIDATION),
        prepared.backbone,
        prepared.spec,
        str(folder / "embeddings"),
    )
    return look_for_label_errors(images, training, task.labels, "auto", seed=seed).left_out
