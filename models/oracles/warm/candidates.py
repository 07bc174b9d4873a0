"""Points that the next trial is chosen from."""

import numpy as np
from scipy.stats import qmc

from models.oracles.warm.arrays import Floats
from models.oracles.warm.encoding import SpaceEncoder

_SPREAD = 512
_NEAR = 256
_STEP = 0.08
"""Standard deviation of the steps around good points, in shares of a range."""

_CHANGE = 0.5
"""Chance that a parameter moves in such a step."""


def spread_points(encoder: SpaceEncoder, seed: int) -> Floats:
    """Points all over the space, float64 [512, p]: a scrambled Sobol sequence (Owen, 1998)."""
    sequence = qmc.Sobol(len(encoder.parameters), seed=_natural(seed))
    return encoder.snap(sequence.random(_SPREAD))


def near_points(encoder: SpaceEncoder, centres: Floats, seed: tuple[int, ...]) -> Floats:
    """Points around good ones, float64 [256, p].

    Args:
        encoder: of the space.
        centres: float64 [c, p], c at least 1.
        seed: of the steps.
    """
    generator = np.random.default_rng([_natural(each) for each in seed])
    centre = centres[generator.integers(len(centres), size=_NEAR)]
    centre = np.where(np.isnan(centre), 0.5, centre)
    steps = generator.normal(0.0, _STEP, centre.shape)
    leaps = generator.random(centre.shape)
    # A step within a choice's share of the unit interval would change nothing: choices leap.
    discrete = encoder.discrete_columns()
    moved = np.where(discrete, leaps, np.clip(centre + steps, 0.0, 1.0))
    moves = generator.random(centre.shape) < np.where(discrete, 0.5 * _CHANGE, _CHANGE)
    return encoder.snap(np.where(moves, moved, centre))


def _natural(seed: int) -> int:
    """The seed itself, or one of its own for a negative one: NumPy takes none of those."""
    return int(seed) if seed >= 0 else int(seed) % 2**64
