"""The methods by name."""

from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.warm_start.methods import oracles
from benchmarks.warm_start.methods.average_rank import AverageRank
from benchmarks.warm_start.methods.interface import Method, Problem
from benchmarks.warm_start.methods.peers import PEERS, PeerMethod

Factory = Callable[[Problem], Method]

WARM: Final = "warm"
COLD: Final = "cold"
AVERAGE_RANK: Final = "average_rank"
KERAS_TUNER_BAYESIAN: Final = "kt_bayesian"

METHODS: Final[dict[str, Factory]] = {
    WARM: oracles.warm,
    COLD: oracles.cold,
    AVERAGE_RANK: AverageRank,
    "kt_random": oracles.random_search,
    KERAS_TUNER_BAYESIAN: oracles.bayesian,
    "kt_hyperband": oracles.hyperband,
    **{name: partial(PeerMethod, peer) for name, peer in PEERS.items()},
}

IGNORE_THE_PAST: Final = frozenset({COLD, "kt_random", KERAS_TUNER_BAYESIAN, "kt_hyperband"})
"""Methods that do the same in every regime, and so run in one alone."""
