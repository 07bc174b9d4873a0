"""What a model answers to the test images, which no arm has seen."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from benchmarks.search.live.situation import Clock, Outcome, Situation
from models.data.example_schema import TEST
from models.data.image_decoding import ImageSpec
from models.inference import compiled_forward
from models.training.image_split import ImageSplit

_BATCH = 32
_LEAST = 1e-7
"""Probability below which none is taken; one wrong answer would else outweigh all others."""


def judge(
    classifier: keras.Model,
    spec: ImageSpec,
    situation: Situation,
    clock: Clock,
    words: str,
    notes: Mapping[str, Any],
) -> Outcome:
    """Reads the clock, then asks the model that an arm chose about each test image.

    Args:
        classifier: from images float32 [n, s, s, 3], RGB in 0..255, to probabilities [n, k].
        spec: the square that images become.
        situation: of the arm.
        clock: of the arm.
        words: what was chosen.
        notes: further figures.
    """
    seconds = clock.spent
    split = ImageSplit(situation.examples_uri, TEST, situation.labels, spec)
    forward = compiled_forward(classifier)
    answers, classes = [], []
    for images, known in split.encoded().map(split.decode).batch(_BATCH).as_numpy_iterator():
        answers.append(np.asarray(forward(images)))
        classes.append(known)
    probabilities, truth = np.concatenate(answers), np.concatenate(classes)
    right = probabilities[np.arange(len(truth)), truth]
    return Outcome(
        accuracy=float(np.mean(probabilities.argmax(axis=1) == truth)),
        log_loss=float(-np.log(np.maximum(right, _LEAST)).mean()),
        seconds=round(seconds, 1),
        chosen=words,
        notes=dict(notes),
    )
