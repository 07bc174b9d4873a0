"""Evidence of drift from a stream of answers, in bounded memory, however the stream is cut.

Each number of each image is ranked among the reference's and all before it (`growing_bag`), bets
are made that the ranks are not uniform (`bets`, `learned_bets`, `directions`) and that classes
became rarer or more frequent (`class_shares`), and what they win is added up (`detector`). During
an alarm no image joins those that others are held against.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from models.errors import GraftError
from models.observation.reference import Reference
from monitoring.evidence.class_shares import ClassShares
from monitoring.evidence.directions import INTERVAL, SLOTS, WINDOW, Directions
from monitoring.evidence.distances import whole
from monitoring.evidence.drift_report import DriftReport
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.evidence.grids import UNKNOWN
from monitoring.evidence.narration import Narrator
from monitoring.evidence.ranked_stream import RankedStream
from monitoring.evidence.recent import Recent
from monitoring.evidence.signals import Signals
from monitoring.observations import Observations
from monitoring.seen_digests import SeenDigests

_BATCH: Final = 16384
_LEARNED: Final = ("groups", "held", "seen", "waiting", "borders", "densities")
_SHARES: Final = ("held", "since", "ratios")
_RECENT: Final = ("times", "digests", "numbers", "points", "ranks")


class DriftEvidence:
    """What a stream of answers says of drift."""

    def __init__(self, reference: Reference, settings: DriftSettings) -> None:
        """Begins before the first image.

        Args:
            reference: of the version that answers.
            settings: how sure an alarm has to be.
        """
        self._seed = settings.seed
        self._signals = Signals(reference)
        self._reference = self._signals.held_out(reference)
        points = whole(reference.projections)
        anchors = whole(reference.anchors)
        centre = anchors.sum(axis=0, dtype=np.float64) / max(len(anchors), 1)
        self._stream = RankedStream(
            self._signals.all,
            self._signals.cells(self._reference),
            points,
            Directions(centre),
            ClassShares(reference),
            settings,
        )
        self._narrator = Narrator(self._signals.all, reference.classes, self._reference, points)
        self._seen = SeenDigests()
        self._recent = Recent.none(len(self._signals.all), points.shape[1])

    def add(self, observations: Observations) -> None:
        """Looks at more images; one whose digest was seen before is passed over.

        Args:
            observations: in the order of the log, of the reference's version.
        """
        for at in range(0, len(observations), _BATCH):
            part = observations[at : at + _BATCH]
            marks = np.array([int(digest[:16], 16) for digest in part.digests], np.uint64)
            self._add_fresh(part[self._seen.first_seen("", marks)])

    def report(self) -> DriftReport:
        """What the images so far say."""
        return self._narrator.report(self._stream, self._recent)

    def _add_fresh(self, observations: Observations) -> None:
        numbers = self._signals.of(observations)
        cells = self._signals.cells(numbers)
        points = whole(observations.projections)
        parts = self._stream.shares.of(observations)
        lost = np.isnan(observations.projections).sum(axis=1) > 0
        shape = (len(cells), cells.shape[1] + SLOTS)
        uniforms = self._uniforms(shape)
        ranks = np.empty(shape)
        before = self._recent.points[-WINDOW:].astype(np.float32)
        at = 0
        while at < len(cells):
            chunk = slice(at, at + INTERVAL - self._stream.images % INTERVAL)
            along = self._stream.directions.cells(points[chunk])
            along[lost[chunk]] = UNKNOWN
            both = np.concatenate([cells[chunk], along], axis=1)
            at += self._stream.look_at(both, parts[chunk], uniforms[chunk], ranks[chunk])
            if self._stream.images % INTERVAL == 0:
                latest = np.concatenate([before, points[max(at - WINDOW, 0) : at]])[-WINDOW:]
                self._stream.learn_directions(latest)
        self._recent = self._recent.followed_by(
            observations.times,
            observations.digests,
            numbers,
            points,
            ranks[:, :-SLOTS],
        )

    def _uniforms(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Random numbers that go by the image's place in the stream alone."""
        bits = np.random.PCG64(self._seed).advance(self._stream.images * shape[1])
        return np.random.Generator(bits).random(shape)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that `from_state` needs to go on, to the last bit, as arrays without objects."""
        stream = self._stream
        return {
            "counts": stream.bag.counts.copy(),
            **{f"learned_{name}": getattr(stream.learned, name).copy() for name in _LEARNED},
            **{f"shares_{name}": getattr(stream.shares, name).copy() for name in _SHARES},
            "directions": stream.directions.weights.copy(),
            "stakes": stream.detector.stakes.copy(),
            "alarm": np.array(stream.detector.alarm),
            "images": np.array(stream.images, np.int64),
            "alarms": np.array(stream.alarms, np.int64),
            "seen": self._seen.table.copy(),
            **{f"recent_{name}": getattr(self._recent, name) for name in _RECENT},
        }

    @classmethod
    def from_state(
        cls, reference: Reference, settings: DriftSettings, state: dict[str, NDArray[Any]]
    ) -> Self:
        """Goes on where `state` was taken.

        Args:
            reference: the same as then.
            settings: the same as then.
            state: its arrays.

        Raises:
            GraftError: it is not the state of a stream with such a reference.
        """
        evidence = cls(reference, settings)
        evidence._check(state)
        stream = evidence._stream
        stream.bag.counts = state["counts"].copy()
        for name in _LEARNED:
            setattr(stream.learned, name, state[f"learned_{name}"].copy())
        for name in _SHARES:
            setattr(stream.shares, name, state[f"shares_{name}"].copy())
        stream.directions.weights = state["directions"].copy()
        stream.detector.stakes = state["stakes"].copy()
        stream.detector.alarm = bool(state["alarm"])
        stream.images, stream.alarms = int(state["images"]), int(state["alarms"])
        evidence._seen = SeenDigests(state["seen"])
        evidence._recent = Recent(*(state[f"recent_{name}"] for name in _RECENT))
        return evidence

    def _check(self, state: dict[str, NDArray[Any]]) -> None:
        own = self.state()
        wrong = [name for name, array in own.items() if not _is_like(array, state.get(name))]
        if wrong:
            raise GraftError(
                f"A state of drift does not fit its reference ({', '.join(wrong)}). "
                "Begin anew: remove the state."
            )


def _is_like(own: NDArray[Any], other: NDArray[Any] | None) -> bool:
    """Same type and shape; as many images came of late as may be."""
    if other is None or own.dtype != other.dtype or own.ndim != other.ndim:
        return False
    return other.shape == own.shape or (not len(own) and other.shape[1:] == own.shape[1:])
