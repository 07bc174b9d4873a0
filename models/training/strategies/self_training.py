"""Images without labels: the head labels them itself, and learns from those that it is surest of.

The share that is believed is the same of each class that is answered, so that no class is left
behind for being harder (B. Zhang et al., "FlexMatch: Boosting Semi-Supervised Learning with
Curriculum Pseudo Labeling", NeurIPS 2021, for thresholds a class; D. Yarowsky, 1995, for the
whole).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.head import discriminant
from models.head.discriminant import Choice
from models.head.evidence import answers_of
from models.head.head_model import build_head, standardised, statistics
from models.training.strategies.strategy import Arm, Situation

_BELIEVED: Final = 0.8
"""Share of the images of each answered class, the surest ones."""
_ROUNDS: Final = 3
MOST: Final = 1000
"""Images without labels that are learned from; the fit grows with the third power."""

Floats = NDArray[np.floating]
Fitted = tuple[Floats, Floats]


class SelfTraining:
    """Learns from `data.unlabelled`."""

    name: Final = "self-training"
    # Always kept, it lost 0.5 points in the mean of 59 draws of seven sets, 11.8 at worst; where
    # validation images are so sure it gains 0.2 (`benchmarks/strategies/run.py`).
    least_confidence: Final = 0.8

    def reason(self, situation: Situation) -> str:
        """Where there are images without labels, and few with labels."""
        unlabelled, most = situation.unlabelled, situation.settings.few_shot_images
        images = situation.images_a_class
        if unlabelled is None or unlabelled.images == 0 or images > most:
            return ""
        return (
            f"{unlabelled.images:,} images without labels beside {images:g} labelled images in the "
            f"middle class, which are at most {most}"
        )

    def arm(self, situation: Situation) -> Arm:
        """Learns twice: without the validation images for its answers, with them for the export."""
        assert situation.unlabelled is not None
        labelled, count = situation.task.labelled, situation.task.classes
        others = situation.unlabelled.embeddings
        drawn = np.random.default_rng(0).permutation(len(others))[:MOST]
        mean, variance = statistics(labelled.embeddings)
        rows = standardised(labelled.embeddings, mean, variance)
        unlabelled = standardised(others[drawn], mean, variance)
        choice = discriminant.choose(rows, labelled.classes, count)
        border = len(situation.task.train.classes)
        without = _learn(rows[:border], labelled.classes[:border], unlabelled, count, choice)
        answers = answers_of(
            _logits(rows[border:], without, choice), situation.task.validation.classes
        )
        head = build_head(
            len(mean), count, mean=mean, variance=variance, unit_length=choice.form.unit_length
        )
        fitted = _learn(rows, labelled.classes, unlabelled, count, choice)
        head.get_layer("logits").set_weights([*fitted])
        believed = len(surest_answers(_logits(unlabelled, fitted, choice), _BELIEVED))
        return Arm(
            head,
            answers,
            f"{choice.form}, fitted to {len(rows)} labelled images and to {believed:,} that it "
            "labelled itself",
        )


def _learn(
    rows: Floats, classes: NDArray[np.integer], unlabelled: Floats, count: int, choice: Choice
) -> Fitted:
    fitted = discriminant.fit(rows, classes, count, choice)
    for _ in range(_ROUNDS):
        logits = _logits(unlabelled, fitted, choice)
        surest = surest_answers(logits, _BELIEVED)
        fitted = discriminant.fit(
            np.concatenate([rows, unlabelled[surest]]),
            np.concatenate([classes, logits.argmax(axis=1)[surest]]),
            count,
            choice,
        )
    return fitted


def surest_answers(logits: Floats, share: float) -> NDArray[np.intp]:
    """Which answers of each class are the surest.

    Args:
        logits: [n, k].
        share: of the answers of a class.

    Returns:
        Rows, in order.
    """
    answered = logits.argmax(axis=1)
    ordered = np.sort(logits, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    kept = np.zeros(len(logits), bool)
    for each in np.unique(answered):
        rows = np.flatnonzero(answered == each)
        kept[rows] = lead[rows] >= np.quantile(lead[rows], 1.0 - share)
    return np.flatnonzero(kept)


def _logits(rows: Floats, fitted: Fitted, choice: Choice) -> Floats:
    kernel, bias = fitted
    features = discriminant.unit_rows(rows) if choice.form.unit_length else rows
    return features @ kernel + bias
