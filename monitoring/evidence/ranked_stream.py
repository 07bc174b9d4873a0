"""The evidence itself: from the cells of images to stakes, one image after the other."""

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence import bets, class_shares
from monitoring.evidence.class_shares import ClassShares
from monitoring.evidence.detector import Detector
from monitoring.evidence.directions import KINDS, MOST_RANKED, SLOTS, Directions, Kind
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.evidence.grids import CELLS, UNKNOWN
from monitoring.evidence.growing_bag import GrowingBag
from monitoring.evidence.learned_bets import EVERY, LearnedBets
from monitoring.evidence.signals import Signal
from monitoring.evidence.stakes import Stakes


class RankedStream:
    """Ranks, bets and stakes.

    Attributes:
        bag: what images are ranked among.
        learned: bets that go by the latest images.
        shares: bets on the shares of the classes.
        directions: in which images moved.
        detector: the stakes.
        images: so far.
        alarms: that began so far.
    """

    def __init__(
        self,
        signals: tuple[Signal, ...],
        cells: NDArray[np.int16],
        points: NDArray[np.float32],
        directions: Directions,
        shares: ClassShares,
        settings: DriftSettings,
    ) -> None:
        """Begins with the reference.

        Args:
            signals: what is watched.
            cells: of the reference's images, int16 [n, s].
            points: of those whose projections are known, in whole steps, [n, c].
            directions: none yet.
            shares: of the reference's images.
            settings: how sure an alarm has to be.
        """
        unknown = np.full((len(cells), SLOTS), UNKNOWN, np.int16)
        self.bag = GrowingBag.of(np.concatenate([cells, unknown], axis=1))
        kinds = (*(signal.classes for signal in signals), *[False] * SLOTS)
        self.learned = LearnedBets(self.bag.counts, kinds)
        self.directions = directions
        self.shares = shares
        self._points = points[:MOST_RANKED]
        self._stakes = Stakes.divided(signals, settings)
        start, placed = self._stakes.at_the_beginning(), self._stakes.with_each_image()
        self.detector = Detector(1 / settings.alpha, start, placed, start.copy())
        self.images = 0
        self.alarms = 0
        self._begin_with_shares()

    @property
    def stakes_placed(self) -> NDArray[np.float64]:
        """Shares of the signals and the directions in all stakes, float64 [s + SLOTS]."""
        shares: NDArray[np.float64] = self._stakes.shares.sum(axis=1)
        return shares

    @property
    def run_length(self) -> float:
        """Images from one false alarm to the next on average, at least."""
        settings = self._stakes.settings
        return 2 * settings.period / settings.alpha - settings.period

    def look_at(
        self,
        cells: NDArray[np.int16],
        parts: NDArray[np.int64],
        uniforms: NDArray[np.float64],
        ranks: NDArray[np.float64],
    ) -> int:
        """Looks at images up to the next alarm or the end of one.

        Args:
            cells: of the signals and the directions, int16 [m, s + SLOTS], no further than where
                the next direction is learned.
            parts: of the classes, int64 [m, c + 1].
            uniforms: 0..1, float64 [m, s + SLOTS].
            ranks: float64 [m, s + SLOTS], to write to.

        Returns:
            How many it looked at.
        """
        growing = not self.detector.alarm
        known = cells != UNKNOWN
        ranks[:] = self.bag.p_values(cells, uniforms, growing=growing)
        taken = 0
        while taken < len(cells) and self.detector.alarm != growing:
            some = slice(taken, taken + EVERY - self.images % EVERY)
            outcomes = bets.outcomes(ranks[some], known[some], self.learned)
            won = self.shares.outcomes(parts[some], growing=growing)
            outcomes[:, self._stakes.class_given, bets.SHARES] = won
            run = self.detector.run(outcomes)
            self.learned.see(cells[taken : taken + run])
            self.shares.see(parts[taken : taken + run], growing=growing)
            taken += run
            self.images += run
            if self.images % EVERY == 0:
                self.learned.learn(growing=growing)
                self.shares.learn()
            if self.images % class_shares.BETWEEN == 0:
                self._begin_with_shares()
        if growing:
            self.bag.absorb(cells[:taken])
            self.alarms += self.detector.alarm
        return taken

    def images_of_other_shares(self) -> int:
        """Images since the start that won most by bets on shares; 1 where other bets won more."""
        stakes = self.detector.stakes[self._stakes.class_given]
        if stakes[bets.SHARES].sum() < stakes[bets.LEARNED].sum():
            return 1
        return max(int(self.shares.since[stakes[bets.SHARES].argmax(), -1]), 1)

    def _begin_with_shares(self) -> None:
        number = self.images // class_shares.BETWEEN
        place = number % class_shares.STARTS
        self.shares.begin(place)
        stake = self._stakes.on_shares(place, first=number < class_shares.STARTS)
        self.detector.stakes[self._stakes.class_given, bets.SHARES][place] = stake

    def learn_directions(self, latest: NDArray[np.float32]) -> None:
        """Learns those that are due.

        Args:
            latest: images in whole steps, the last `WINDOW` or all there were, [m, c].
        """
        for kind in KINDS:
            if self.images % kind.interval == 0:
                slot = kind.first + self.images // kind.interval % kind.slots
                self._learn_direction(kind, slot, latest[-kind.window :])

    def _learn_direction(self, kind: Kind, slot: int, latest: NDArray[np.float32]) -> None:
        first = not self.directions.weights[slot].any()
        self.directions.learn(slot, latest)
        row = len(self.bag.counts) - SLOTS + slot
        cells = self.directions.cells_along(slot, self._points)
        self.bag.counts[row] = np.bincount(cells[cells != UNKNOWN], minlength=CELLS)
        self.learned.begin(row, self.bag.counts[row])
        self.detector.stakes[row] = self._stakes.on_a_direction(kind, slot, first=first)
