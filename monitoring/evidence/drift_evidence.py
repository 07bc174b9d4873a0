"""Evidence of drift from a stream of answers, in bounded memory, however the stream is cut.

Each number of each image is ranked among the reference's and all before it (`growing_bag`), bets
are made that the ranks are not uniform (`bets`), and what they win is added up (`detector`). During
an alarm no image joins those that others are ranked among.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from models.observation.reference import Reference
from monitoring.evidence import bets, narration
from monitoring.evidence.bets import LEARNING, LearnedBets
from monitoring.evidence.detector import Detector
from monitoring.evidence.drift_report import DriftReport
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.evidence.grids import UNKNOWN
from monitoring.evidence.growing_bag import GrowingBag
from monitoring.evidence.recent import Recent
from monitoring.evidence.seen_digests import SeenDigests
from monitoring.evidence.signals import Signals
from monitoring.observations import Observations

_CHUNK: Final = 64
"""Images that are ranked at once."""
_BATCH: Final = 16384


class DriftEvidence:
    """What a stream of answers says of drift."""

    def __init__(self, reference: Reference, settings: DriftSettings) -> None:
        """Begins before the first image.

        Args:
            reference: of the version that answers.
            settings: how sure an alarm has to be.
        """
        self._settings = settings
        self._signals = Signals(reference)
        self._classes = reference.classes
        self._reference = self._signals.held_out(reference)
        count = len(self._signals.all)
        self._bag = GrowingBag.of(self._signals.cells(self._reference))
        self._learned = LearnedBets.none(count)
        weights = np.array([signal.weight for signal in self._signals.all])
        shares = np.repeat(weights[:, None] / weights.sum(), bets.BETS, axis=1) / bets.BETS
        self._detector = Detector.fresh(shares, settings.alpha, settings.period)
        self._seen = SeenDigests()
        self._recent = Recent.none(count)
        self._images = 0
        self._alarms = 0

    def add(self, observations: Observations) -> None:
        """Looks at more images; one whose digest was seen before is passed over.

        Args:
            observations: in the order of the log, of the reference's version.
        """
        for at in range(0, len(observations), _BATCH):
            part = observations[at : at + _BATCH]
            self._add_fresh(part[self._seen.first_times(part.digests)])

    def report(self) -> DriftReport:
        """What the images so far say."""
        return narration.report(
            self._signals.all,
            self._classes,
            self._reference,
            self._detector,
            self._recent,
            self._images,
            self._alarms,
        )

    def _add_fresh(self, observations: Observations) -> None:
        numbers = self._signals.of(observations)
        cells = self._signals.cells(numbers)
        random = np.random.Generator(
            np.random.PCG64(self._settings.seed).advance(self._images * cells.shape[1])
        )
        uniforms = random.random(cells.shape)
        ranks = np.empty(cells.shape)
        at = 0
        while at < len(cells):
            chunk = slice(at, at + _CHUNK)
            at += self._look_at(cells[chunk], uniforms[chunk], ranks[chunk])
        self._recent = self._recent.followed_by(
            observations.times, observations.digests, numbers, ranks
        )

    def _look_at(
        self,
        cells: NDArray[np.int16],
        uniforms: NDArray[np.float64],
        ranks: NDArray[np.float64],
    ) -> int:
        """Looks at images up to the next alarm or the end of one.

        Args:
            cells: int16 [m, s].
            uniforms: float64 [m, s].
            ranks: float64 [m, s], to write to.

        Returns:
            How many it looked at.
        """
        growing = not self._detector.alarm
        known = cells != UNKNOWN
        ranks[:] = self._bag.p_values(cells, uniforms, growing=growing)
        taken = 0
        while taken < len(cells) and self._detector.alarm != growing:
            until = taken + LEARNING - self._images % LEARNING
            some = slice(taken, until)
            run = self._detector.run(bets.outcomes(ranks[some], known[some], self._learned))
            some = slice(taken, taken + run)
            self._learned.see(bets.bins_of(ranks[some]), known[some])
            taken += run
            self._images += run
            if self._images % LEARNING == 0:
                self._learned.learn()
        if growing:
            self._bag.absorb(cells[:taken])
            self._alarms += self._detector.alarm
        return taken

    def state(self) -> dict[str, NDArray[Any]]:
        """All that `from_state` needs to go on, to the last bit, as arrays without objects."""
        return {
            "counts": self._bag.counts.copy(),
            "learned": self._learned.counts.copy(),
            "waiting": self._learned.waiting.copy(),
            "stakes": self._detector.stakes.copy(),
            "alarm": np.array(self._detector.alarm),
            "slots": self._seen.slots.copy(),
            "recent_times": self._recent.times,
            "recent_digests": self._recent.digests,
            "recent_numbers": self._recent.numbers,
            "recent_ranks": self._recent.ranks,
            "images": np.array(self._images, np.int64),
            "alarms": np.array(self._alarms, np.int64),
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
        """
        evidence = cls(reference, settings)
        evidence._bag.counts = state["counts"].copy()
        evidence._learned = LearnedBets(state["learned"].copy(), state["waiting"].copy())
        evidence._detector.stakes = state["stakes"].copy()
        evidence._detector.alarm = bool(state["alarm"])
        evidence._seen = SeenDigests(state["slots"].copy())
        names = ("times", "digests", "numbers", "ranks")
        evidence._recent = Recent(*(state[f"recent_{name}"] for name in names))
        evidence._images, evidence._alarms = int(state["images"]), int(state["alarms"])
        return evidence
