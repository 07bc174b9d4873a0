"""Tests that may be looked at after every request.

An e-process is the wealth of a gambler who begins with 1 and bets against a hypothesis. While the
hypothesis holds, the wealth ever reaches 1 / α with a probability of at most α, whenever one looks
and stops (Ville's inequality; Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe
anytime-valid inference, 2023). So nothing is lost by watching a canary all the time.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_OTHER_EXCESSES: Final = (4.0, 30.0)
_EXCESS_WEIGHTS: Final = (0.9, 0.05, 0.05)
_LEAST_EXCESS, _MOST_EXCESS = 1.5, 200.0
# The stable's rate before anything is known: half an event in a hundred requests.
_EVENTS_BEFORE, _REQUESTS_BEFORE = 0.5, 100
_SHARES_OF_BET: Final = (0.1, 0.3, 0.6, 0.9)
_HIGHEST_LOG: Final = 500.0
_HALVINGS: Final = 40


class OriginTest:
    """Bets that an event, such as an error, is more common in the canary than in the stable.

    Chance sends each request to the canary with a known probability, its share. While an event is
    not more common there, at most this share of the events comes from the canary, however the rate
    moves in time for both. So each event is a bet on where it comes from: the test of two rates by
    their conditional binomial, made sequential by likelihood ratios (Wald 1945; Turner, Ly,
    Grünwald: Generic E-variables for exact sequential k-sample tests, 2024). What the stable did so
    far chooses the size of the bets, which leaves them fair.

    Attributes:
        requests: of the canary, and of the stable, since the canary began.
        events: among them.
    """

    def __init__(self, rate_worth_finding: float) -> None:
        """Bets most on a canary in which the event has `rate_worth_finding`."""
        self.requests = [0, 0]
        self.events = [0, 0]
        self._worth = rate_worth_finding
        self._past = [0, 0]
        self._logs = np.zeros(1 + len(_OTHER_EXCESSES))

    def add_past(self, is_event: bool) -> None:
        """Notes a request of the stable from before the canary began."""
        self._past[0] += is_event
        self._past[1] += 1

    def add(self, from_canary: bool, is_event: bool, share: float) -> None:
        """Notes a request.

        Args:
            from_canary: which one answered.
            is_event: whether the event happened.
            share: probability with which the request went to the canary; in (0, 1).
        """
        if is_event:
            rate = (_EVENTS_BEFORE + self._past[0] + self.events[1]) / (
                _REQUESTS_BEFORE + self._past[1] + self.requests[1]
            )
            likely = min(max(self._worth / rate, _LEAST_EXCESS), _MOST_EXCESS)
            excesses = np.array([likely, *_OTHER_EXCESSES])
            expected = excesses * share / (excesses * share + 1 - share)
            won = expected / share if from_canary else (1 - expected) / (1 - share)
            self._logs += np.log(won)
        place = 0 if from_canary else 1
        self.requests[place] += 1
        self.events[place] += is_event

    @property
    def wealth(self) -> float:
        """The e-process: large against "not more common in the canary"."""
        return _mixture(self._logs, _EXCESS_WEIGHTS)


class MeanTest:
    """Bets that the mean of bounded numbers lies above 0.

    The wealth Π (1 + λ x) of Waudby-Smith and Ramdas (Estimating means of bounded random variables
    by betting, 2024), mixed over some λ. The hypothesis is that each number has a mean of at most
    0, given those before it.
    """

    def __init__(self, lowest: float) -> None:
        """Takes numbers of at least `lowest`, which is negative."""
        self._bets = np.array(_SHARES_OF_BET) / -lowest
        self._logs = np.zeros(len(_SHARES_OF_BET))

    def add(self, number: float) -> None:
        """Notes one number."""
        self._logs += np.log1p(self._bets * number)

    @property
    def wealth(self) -> float:
        """The e-process: large against "the mean is at most 0"."""
        return _mixture(self._logs, [1 / len(self._logs)] * len(self._logs))


def upper_bound(events: int, requests: int, alpha: float) -> float:
    """A bound that the rate of an event exceeds with a probability of at most `alpha`, ever.

    It holds at all times together, so that one may wait until it is low enough: the upper end of
    the confidence sequence of the beta-binomial mixture (Robbins 1970; Howard, Ramdas, McAuliffe,
    Sekhon: Time-uniform, nonparametric, nonasymptotic confidence sequences, 2021).

    Args:
        events: so far.
        requests: so far.
        alpha: in (0, 1).
    """
    if events == requests:
        return 1.0
    mixture = _log_beta(events + 0.5, requests - events + 0.5) - _log_beta(0.5, 0.5)
    low, high = events / requests, 1.0
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        likelihood = events * math.log(rate) + (requests - events) * math.log1p(-rate)
        if mixture - likelihood < -math.log(alpha):
            low = rate
        else:
            high = rate
    return high


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _mixture(logs: NDArray[np.float64], weights: Sequence[float]) -> float:
    return float(np.dot(weights, np.exp(np.minimum(logs, _HIGHEST_LOG))))
