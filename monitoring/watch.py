"""All that is known of one version: evidence, accuracy, labels, and its newest images."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from models.observation.reference import Reference
from models.observation.reference_size import MOST_IMAGES
from monitoring.accuracy.estimator import AccuracyEstimator, AccuracySettings
from monitoring.accuracy.label_book import NONE_BEFORE, LabelBook
from monitoring.accuracy.report import AccuracyReport
from monitoring.accuracy.skew import SkewReport, find_skew
from monitoring.accuracy.window import Window
from monitoring.data_faults import DataFault, Traffic, data_faults
from monitoring.evidence.drift_evidence import DriftEvidence
from monitoring.evidence.drift_report import DriftReport
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.newest_minutes import newest_of
from monitoring.observations import Observations
from monitoring.state import joined, part_of

_ACCURACY: Final = AccuracySettings()
_MINUTE: Final = 60
_NEWEST: Final = 200
"""Images among which a fault of what is sent is looked for."""


class Watch:
    """Follows one version."""

    def __init__(self, reference: Reference, settings: DriftSettings) -> None:
        """Begins before the first image.

        Args:
            reference: of the version.
            settings: how sure an alarm has to be.
        """
        self.reference = reference
        self.drift = DriftEvidence(reference, settings)
        self.accuracy = AccuracyEstimator(reference, _ACCURACY)
        self.book = LabelBook(reference.classes)
        self._held_out = frozenset(reference.digests)
        self._served_before = Window(MOST_IMAGES)
        self._fresh: Counter[int] = Counter()

    def add(self, observations: Observations) -> None:
        """Looks at more images; those of a server that had another reference are passed over."""
        if observations.projections.shape[1:] != self.reference.projections.shape[1:]:
            return
        self.drift.add(observations)
        self.accuracy.add(observations)
        self._count(observations)
        digests = observations.digests.tolist()
        known = np.array([digest in self._held_out for digest in digests], bool)
        if known.any():
            self._served_before.add(observations[known])

    @property
    def fresh(self) -> Mapping[int, int]:
        """How many answers to different images each of the newest 1,440 minutes had."""
        return self._fresh

    def _count(self, observations: Observations) -> None:
        minutes = observations.times.astype(np.int64) // _MINUTE * _MINUTE
        for minute in np.unique(minutes).tolist():
            weight = float(observations.weights[minutes == minute].sum(dtype=np.float64))
            self._fresh[minute] += round(weight)
        self._fresh = Counter(newest_of(self._fresh))

    def label(self, observations: Observations, chosen: Collection[str]) -> None:
        """Gives answers the labels that wait for them.

        Args:
            observations: answers, seen before or not.
            chosen: digests of images that were picked to be labelled: to learn from, but they
                would make the accuracy look worse than it is.
        """
        if not self.book.waiting:
            return
        found = self.book.take(observations, chosen)
        first = found.before == NONE_BEFORE
        if first.any():
            self.accuracy.add_labels(found.answers[first], found.classes[first])
        if not first.all():
            again = ~first
            self.accuracy.correct_labels(
                found.answers[again], found.before[again], found.classes[again]
            )

    def accuracy_since(self, drift: DriftReport) -> AccuracyReport:
        """The accuracy now: of the images since they changed, where they did."""
        moved = [signal.since for signal in drift.signals if signal.alarm and signal.since]
        return self.accuracy.report(moved[0][1] if moved else None)

    def faults(self, traffic: Traffic) -> tuple[DataFault, ...]:
        """Faults of what is sent, looked for among the newest images.

        Args:
            traffic: all answers of that time.
        """
        newest = self.accuracy.newest
        recent = None if newest is None else newest[np.arange(len(newest))[-_NEWEST:]]
        return data_faults(self.reference, recent, traffic)

    def skew(self) -> SkewReport | None:
        """How held-out images are answered that were sent to the server; None for no such one."""
        images = self._served_before.images
        return None if images is None else find_skew(self.reference, images)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that `from_state` needs."""
        return joined(
            {
                "drift": self.drift.state(),
                "accuracy": self.accuracy.state(),
                "labels": self.book.state(),
                "served": self._served_before.state(""),
                "fresh": {"counts": np.array(sorted(self._fresh.items()), np.int64)},
            }
        )

    @classmethod
    def from_state(
        cls, reference: Reference, settings: DriftSettings, state: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Goes on where `state` was taken; reference and settings are the same as then."""
        watch = cls(reference, settings)
        watch.drift = DriftEvidence.from_state(reference, settings, part_of(state, "drift"))
        accuracy = part_of(state, "accuracy")
        watch.accuracy = AccuracyEstimator.from_state(reference, _ACCURACY, accuracy)
        watch.book = LabelBook.from_state(reference.classes, part_of(state, "labels"))
        watch._served_before = Window.from_state(MOST_IMAGES, part_of(state, "served"), "")
        watch._fresh = Counter(dict(part_of(state, "fresh")["counts"].reshape(-1, 2).tolist()))
        return watch
