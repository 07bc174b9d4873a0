"""The searches of other tools that can be replayed, by the name of the method."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """A search of a tool.

    Attributes:
        module: of `benchmarks.search.peers`, that drives it.
        search: its name there.
        label: in the report.
        with_past: whether it learns from other data sets.
        tool: option that names the Python of its environment; empty for this one.
    """

    module: str
    search: str
    label: str
    with_past: bool = False
    tool: str = ""

    def can_run(self, pythons: Mapping[str, Path | None]) -> bool:
        """Whether its environment is there."""
        return not self.tool or pythons[self.tool] is not None


def _keras_tuner(search: str, label: str) -> Peer:
    return Peer("keras_tuner_oracles", search, f"Keras Tuner: {label}")


def _syne_tune(search: str, label: str, *, with_past: bool = False) -> Peer:
    label = f"Syne Tune: {label}"
    return Peer("syne_tune_schedulers", search, label, with_past, "syne_tune")


def _quick_tune(search: str, label: str) -> Peer:
    return Peer("quick_tune_optimizer", search, f"Quick-Tune: {label}", True, "quick_tune")


PEERS = {
    "keras-tuner-hyperband": _keras_tuner("hyperband", "Hyperband"),
    "keras-tuner-bayesian": _keras_tuner("bayesian", "Bayesian optimization"),
    "syne-tune-asha": _syne_tune("asha", "ASHA"),
    "syne-tune-asha-cheapest": _syne_tune("asha_cheapest", "ASHA, the cheapest first"),
    "syne-tune-pasha": _syne_tune("pasha", "PASHA"),
    "syne-tune-hyperband": _syne_tune("hyperband", "Hyperband"),
    "syne-tune-bohb": _syne_tune("bohb", "BOHB"),
    "syne-tune-mobster": _syne_tune("mobster", "MOBSTER"),
    "syne-tune-hyper-tune": _syne_tune("hyper_tune", "Hyper-Tune"),
    "syne-tune-dyhpo": _syne_tune("dyhpo", "DyHPO"),
    "syne-tune-zero-shot": _syne_tune("zero_shot", "zero-shot from the past", with_past=True),
    "syne-tune-quantiles": _syne_tune("quantiles", "ASHA, quantiles of the past", with_past=True),
    "quick-tune": _quick_tune("quick_tune", "its optimizer, costs learned, from the past"),
}
