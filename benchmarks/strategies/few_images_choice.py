"""Which is exported: the head on the frozen backbone, or a fine-tuned model?

Of each draw both are made, as by the product (15 of 85 images validate; where they are few the head
has learned from these too), and judged on test images. Either is chosen where the validation images
promise more of it, or the fine-tuned model only where they are so sure as the product asks for
where images are few (`models.training.train.LEAST_SURE`). "The better one" is chosen on the test
images themselves, which nothing can reach. What a run comes to by itself is its own training, in
which a fine-tuned model, too, learns from the validation images in the end.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.small_task import split_files
from benchmarks.strategies.by_itself import accuracy_by_itself
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.top_tuning import Floats, Lesson, TopTuning, prepared_backbone
from models.head.evidence import answers_of, compare
from models.head.refit import refitted
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation
from models.training.train import LEAST_SURE
from models.training.training_settings import TrainingSettings

_TEST, _CLASSES = 400, 20
_COUNTS: Final = (10, 20, 35, 50)
_VALIDATION: Final = 0.15 / 0.85
_BETTER: Final = "the better one"


def head_or_fine_tuned(data: Path, size: int) -> Iterator[Measurement]:
    """So many labelled images a class."""
    for count in _COUNTS:
        name = f"fine-tuned, {count} images a class"
        yield Measurement(name, partial(_measured, data, size, count), frozenset({_BETTER}))


def _measured(data: Path, size: int, images: int, seed: int) -> Mapping[str, float]:
    settings = TrainingSettings()
    known = max(1, round(images / (1 + _VALIDATION)))
    classes = len(split_files(data, 1, 0, _CLASSES).labels)
    task = split_files(data, known, (images - known) * classes, _CLASSES, test=_TEST, seed=seed)
    with TemporaryDirectory() as scratch:
        prepared = prepared_backbone(task, Path(scratch), size, settings, seed)
        by_itself = accuracy_by_itself(prepared, settings, Path(scratch) / "by itself")
        embeddings, linear = prepared.embeddings, prepared.head
        tuning = TopTuning(prepared, settings, Path(scratch))
        _, _, asked = tuning.features()
        situation = Situation(embeddings, settings)
        chosen = choose_head(linear.model, linear.answers, situation)
        head = refitted(linear, embeddings) if chosen.model is linear.model else chosen.model
        logits = head.predict(asked, verbose=0)
        arm = tuning.arm(linear.model)
        targets = np.eye(len(task.labels), dtype=np.float32)[embeddings.train.classes]
        held = embeddings.validation.classes
        tuning.tune(arm, Lesson(np.arange(len(targets)), targets, held), seed=seed)
        answers = answers_of(tuning.validated(arm), held)
        tuned = tuning.tested(arm)
    truth = np.array([task.labels.index(each.label) for each in task.test])
    right = {"head": _right(logits, truth), "fine_tuned": _right(tuned, truth)}
    sure = compare(answers, chosen.answers).confidence
    by_promise = right["fine_tuned" if sure > 0.5 else "head"]
    where_sure = right["fine_tuned" if sure >= LEAST_SURE else "head"]
    return {
        "head on the frozen backbone": right["head"],
        "fine-tuned": right["fine_tuned"],
        "what promises more": by_promise,
        "fine-tuned where that is sure": where_sure,
        _BETTER: max(right.values()),
        AUTO: by_itself,
    }


def _right(logits: Floats, truth: NDArray[np.integer]) -> float:
    return float((logits.argmax(axis=1) == truth).mean())
