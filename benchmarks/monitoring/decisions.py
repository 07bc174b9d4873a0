"""Does the decision come out right, replayed many times on real images?

A reference of half of the held-out images; the other half comes as a stream, in an order of its
own for each seed: at first as it is, then changed.

- quiet: nothing changes; right is "nothing", healthy.
- harmless: changed so that the accuracy falls by less than 3 points; right is "nothing".
- harmful: changed so that it falls by more than 10 points; right is "retrain".
- black, swapped, empty: black frames, red and blue swapped, empty bodies; right is "page".

    ./dev bench monitoring/decisions --data digits DATA/clothing DATA/cifar10 --seeds 100
"""

import argparse
import copy
from collections import Counter
from pathlib import Path

import numpy as np
from label_free import HELD_BACK, SHIFTS
from streams import Answers, ServedSet, observations

from monitoring.accuracy.estimator import AccuracyEstimator, AccuracySettings
from monitoring.data_faults import Traffic, data_faults
from monitoring.decision import Decision, decide
from monitoring.evidence.drift_evidence import DriftEvidence
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.observations import Observations

_BEFORE, _AFTER = 100, 300
_BEARABLE, _HARM = 0.03, 0.10
_RIGHT = {"quiet": "nothing", "harmless": "nothing", "harmful": "retrain"}


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--held-back", action="store_true", help="other shifts")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/monitoring"))
    arguments = parser.parse_args()
    print("| data | scene | right | said |\n|---|---|---|---|")
    for data in arguments.data:
        served = ServedSet(data, arguments.cache)
        replay = Replay(served)
        scenes = _scenes(served, HELD_BACK if arguments.held_back else SHIFTS)
        for scene, kinds in scenes.items():
            said = Counter(
                replay.said(scene, kinds[seed % len(kinds)], seed)
                for seed in range(arguments.seeds)
            )
            right = sum(n for (action, _), n in said.items() if action == _RIGHT.get(scene, "page"))
            words = ", ".join(f"{action} ({health}) {n}" for (action, health), n in said.items())
            print(f"| {served.name} | {scene} | {right}/{arguments.seeds} | {words} |", flush=True)


def _scenes(served: ServedSet, shifts: tuple[str, ...]) -> dict[str, list[str]]:
    """Which changes each scene takes in turn."""
    clean = _accuracy(served.answers("clean"))
    losses = {shift: clean - _accuracy(served.answers(shift)) for shift in shifts}
    scenes = {
        "quiet": ["clean"],
        "harmless": [shift for shift, loss in losses.items() if loss < _BEARABLE],
        "harmful": [shift for shift, loss in losses.items() if loss > _HARM],
        "black": ["black"],
        "swapped": ["swapped"],
        "empty": ["clean"],
    }
    if served.is_grey:
        del scenes["swapped"]
    return {scene: kinds for scene, kinds in scenes.items() if kinds}


class Replay:
    """The parts of the monitor, made once for all streams of a data set."""

    def __init__(self, served: ServedSet) -> None:
        self._served = served
        self._reference = served.reference()
        self._drift = DriftEvidence(self._reference, DriftSettings())
        # The window holds one stream at a time.
        settings = AccuracySettings(window=_BEFORE + _AFTER)
        self._accuracy = AccuracyEstimator(self._reference, settings)

    def said(self, scene: str, shift: str, seed: int) -> tuple[str, str]:
        """Action and health after one stream."""
        order = np.random.default_rng(seed).permutation(self._served.live)
        before, after = order[:_BEFORE], order[_BEFORE : _BEFORE + _AFTER]
        first = observations(self._reference, self._served.answers("clean")[before])
        changed = self._served.answers(shift)[after]
        second = observations(self._reference, changed, start=1.7e9 + _BEFORE)
        statuses = {"OK": _BEFORE + _AFTER}
        if scene == "empty":
            statuses = {"OK": _BEFORE + _AFTER // 2, "INVALID_ARGUMENT": _AFTER // 2}
        decision = self._decision(first, second, Traffic(statuses))
        return decision.action, decision.health

    def _decision(self, first: Observations, second: Observations, traffic: Traffic) -> Decision:
        drift = copy.deepcopy(self._drift)
        for part in (first, second):
            drift.add(part)
            self._accuracy.add(part)
        report = drift.report()
        begins = [signal.since[0] for signal in report.signals if signal.since is not None]
        since = min(begins, default=float(first.times[0]))
        images = self._accuracy.newest
        assert images is not None
        faults = data_faults(self._reference, images[images.times >= since], traffic)
        now = float(second.times[-1])
        return decide(report, self._accuracy.report(since), faults, now)


def _accuracy(answers: Answers) -> float:
    return float((answers.probabilities.argmax(axis=1) == answers.labels).mean())


if __name__ == "__main__":
    main()
