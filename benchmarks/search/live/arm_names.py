"""The arms of the live comparison by their names, none of them imported yet."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

_ARMS: Final = {
    "joint": ("joint", "warm"),
    "joint-cold": ("joint", "cold"),
    "head": ("plain", "head_only"),
    "fixed": ("plain", "fixed"),
    "old-default": ("old_default", "old_default"),
    "kt-bayesian": ("tuners", "bayesian"),
    "kt-hyperband": ("tuners", "hyperband"),
    "keras-guide": ("script", "keras_guide"),
}
"""Module below `arms` and its function."""

ARM_NAMES: Final = tuple(_ARMS)


def find_arm(name: str) -> Callable[..., Any]:
    """Imports an arm: from a `Situation` and a `Clock` to an `Outcome`."""
    module, function = _ARMS[name]
    arm: Callable[..., Any] = getattr(
        import_module(f"benchmarks.search.live.arms.{module}"), function
    )
    return arm
