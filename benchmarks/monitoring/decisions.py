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
from collections import Counter
from pathlib import Path

import numpy as np
from label_free import HELD_BACK, SHIFTS
from streams import Answers, ServedSet, observations

from models.observation.reference import Reference
from monitoring.accuracy.estimator import AccuracyEstimator
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
        scenes = _scenes(served, HELD_BACK if arguments.held_back else SHIFTS)
        for scene, kinds in scenes.items():
            said = Counter(
                _said(served, scene, kinds[seed % len(kinds)], seed)
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
    if served.held_out.signals[:, 4].std() < 1e-3:
        del scenes["swapped"]
    return {scene: kinds for scene, kinds in scenes.items() if kinds}


def _said(served: ServedSet, scene: str, shift: str, seed: int) -> tuple[str, str]:
    random = np.random.default_rng(seed)
    reference = served.reference()
    order = random.permutation(served.live)
    before, after = order[:_BEFORE], order[_BEFORE : _BEFORE + _AFTER]
    first = observations(reference, served.answers("clean")[before])
    second = observations(reference, served.answers(shift)[after], start=1.7e9 + _BEFORE)
    traffic = Traffic({"OK": _BEFORE + _AFTER})
    if scene == "empty":
        traffic = Traffic({"OK": _BEFORE + _AFTER // 2, "INVALID_ARGUMENT": _AFTER // 2})
    decision = _decision(reference, first, second, traffic)
    return decision.action, decision.health


def _decision(
    reference: Reference, first: Observations, second: Observations, traffic: Traffic
) -> Decision:
    drift = DriftEvidence(reference, DriftSettings())
    accuracy = AccuracyEstimator(reference)
    for part in (first, second):
        drift.add(part)
        accuracy.add(part)
    report = drift.report()
    begins = [signal.since[0] for signal in report.signals if signal.since is not None]
    since = min(begins) if begins else None
    images = accuracy.newest
    if images is not None and since is not None:
        images = images[images.times >= since]
    return decide(
        report,
        accuracy.report(since),
        data_faults(reference, images, traffic),
        float(second.times[-1]),
    )


def _accuracy(answers: Answers) -> float:
    return float((answers.probabilities.argmax(axis=1) == answers.labels).mean())


if __name__ == "__main__":
    main()
