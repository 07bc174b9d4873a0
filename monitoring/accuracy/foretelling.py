"""Foretells the accuracy on images without labels, and how far off that may be.

Two steps. First a logistic regression gives the chance that each answer is right, from what the
image and the answer show, and from what other classifiers say of the answer (`second_opinion.py`).
It learned from the reference, and from the answers to images that were made worse on purpose, where
it sees the model be wrong and sure. Second, a set of images as a whole tells more than each alone:
that all are dark, or turned. This is learned from sets that are each one change of the reference's
images, in two ways: a Gaussian process, of what the first step leaves, also tells how unlike the
new set is to all of them; extremely randomised trees see the set's mean beside each image. The
estimate is a mean of both ways; where they disagree, it is less sure.

References: Guo et al., On Calibration of Modern Neural Networks, 2017 (temperature); Deng and
Zheng, Are Labels Always Necessary for Classifier Accuracy Evaluation?, 2021 (learning from changed
sets); Garg et al., Leveraging Unlabeled Data to Predict Out-of-Distribution Performance, 2022
(average thresholded confidence, which stands beside it); Geurts, Ernst and Wehenkel, Extremely
Randomized Trees, 2006.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import ExtraTreesClassifier

from models.errors import GraftError
from models.observation.reference import Reference
from monitoring.accuracy.logistic import fit_logistic
from monitoring.accuracy.second_opinion import SecondOpinions
from monitoring.accuracy.sets import ChangedSets, mean_of_sets, sets_by_strength
from monitoring.accuracy.traits import Seen, Traits, seen_by_probabilities

Floats = NDArray[np.float64]
_PENALTY: Final = 10.0
_TREES: Final = 100
_LEAST_OF_A_LEAF: Final = 10
"""Images, so that a share of right answers can be told of them."""
_TRAITS_TRIED: Final = 0.5
"""Share of all that are tried at a split."""
_LEAST: Final = 8
_MOST_SPREADS: Final = 4.0
_BY_TREES: Final = 0.75
"""Part of the estimate that is the trees'."""
_OF_PROCESS, _OF_SPREAD = 0.5, 0.8
"""Parts of the error of the Gaussian process, and of the spread between single trees, that the
estimate is off by."""


@dataclass(frozen=True, slots=True, eq=False)
class Foretold:
    """What is foretold of some images.

    Attributes:
        chances: float64 [m], that each answer is right; their mean is the accuracy.
        error: standard error of the accuracy that more images would not take away.
        novelty: how unlike the images are, together, to all that the answers are known to: 0 to 1.
        by_confidence: mean calibrated confidence.
        by_threshold: share of answers more sure than a threshold, above which the reference has as
            many as it has right ones.
    """

    chances: Floats
    error: float
    novelty: float
    by_confidence: float
    by_threshold: float


class Foreteller:
    """What a reference teaches about when the model is right.

    Attributes:
        reference_seen: its n held-out images.
        reference_right: bool [n], whether each was answered rightly.
        reference_chances: float64 [n], the chance that is foretold of each.
    """

    def __init__(self, reference: Reference) -> None:
        """Learns; takes a second or so.

        Args:
            reference: of the version that answers; best with `stressed`.

        Raises:
            GraftError: it holds too few images to learn from.
        """
        if len(reference.labels) < _LEAST:
            raise GraftError(
                f"The monitoring reference holds {len(reference.labels)} held-out images; at least "
                f"{_LEAST} are needed. Give the data a larger test split, and push again."
            )
        self._traits = Traits(reference)
        self._opinions = SecondOpinions(reference)
        held_out = seen_by_probabilities(
            reference.probabilities,
            reference.projections,
            reference.signals,
            reference.temperature,
        )
        right = held_out.class_ids == reference.labels
        rows, hits, sets = self._described(held_out), right, np.full(len(right), -1)
        served = held_out.class_ids
        stressed = reference.stressed
        if stressed is not None and len(stressed.labels):
            worse = seen_by_probabilities(
                stressed.probabilities,
                stressed.projections,
                stressed.signals,
                reference.temperature,
            )
            rows = np.concatenate([rows, self._described(worse)])
            hits = np.concatenate([hits, worse.class_ids == stressed.labels])
            sets = np.concatenate([sets, sets_by_strength(stressed.changes, stressed.strengths)])
            served = np.concatenate([served, worse.class_ids])
        rows = np.column_stack([rows, self._opinions.of_reference(served)])
        self._centre, self._spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        standard = self._standard(rows)
        self._chance = fit_logistic(standard, hits, _PENALTY)
        chances = expit(self._chance.logits(standard))
        self._sets = ChangedSets(standard, hits, sets, self._chance, _PENALTY)
        trees = ExtraTreesClassifier(
            _TREES,
            min_samples_leaf=_LEAST_OF_A_LEAF,
            max_features=_TRAITS_TRIED,
            random_state=0,
        )
        self._trees = trees.fit(np.column_stack([standard, mean_of_sets(standard, sets)]), hits)
        # As many answers exceed it as are right.
        self._threshold = float(np.quantile(held_out.confidences, 1.0 - float(right.mean())))
        self.reference_chances = chances[: len(right)]
        self.reference_right = right
        self.reference_seen = held_out

    def foretell(self, seen: Seen) -> Foretold:
        """Foretells the accuracy on some images, at least one."""
        described = np.column_stack([self._described(seen), self._opinions.of(seen)])
        standard = self._standard(described)
        logits = self._chance.logits(standard)
        mean = standard.mean(axis=0)
        rest, error, novelty = self._sets.rest(mean)
        one = float(np.clip(expit(logits).mean() + rest, 0.0, 1.0))
        beside = np.broadcast_to(mean, standard.shape)
        other, spread = self._by_trees(np.column_stack([standard, beside]))
        wanted = float(np.clip((1 - _BY_TREES) * one + _BY_TREES * other, 0.002, 0.998))
        return Foretold(
            chances=expit(logits + _offset(logits, wanted)),
            error=float(
                np.linalg.norm([_OF_PROCESS * error, (one - other) / 2, _OF_SPREAD * spread])
            ),
            novelty=novelty,
            by_confidence=float(seen.confidences.mean()),
            by_threshold=float((seen.confidences > self._threshold).mean()),
        )

    def _by_trees(self, together: Floats) -> tuple[float, float]:
        """Mean chance, and how far single trees lie from it."""
        known = self._trees.classes_.tolist()
        if True not in known:
            return 0.0, 0.0
        right = known.index(True)
        rows = together.astype(np.float32)
        means = [
            tree.predict_proba(rows, check_input=False)[:, right].mean()
            for tree in self._trees.estimators_
        ]
        return float(np.mean(means)), float(np.std(means))

    def _described(self, seen: Seen) -> Floats:
        return np.column_stack([self._traits.of(seen), seen.projections.astype(np.float64)])

    def _standard(self, rows: Floats) -> Floats:
        scaled = (rows - self._centre) / self._spread
        return np.clip(scaled, -_MOST_SPREADS, _MOST_SPREADS)


def _offset(logits: Floats, wanted: float) -> float:
    """What to add to all logits so that the mean chance is the wanted one."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(logits + middle).mean() < wanted else (low, middle)
    return (low + high) / 2
