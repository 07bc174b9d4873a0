"""How far the accuracy that is foretold without labels lies from the truth, shift by shift.

    ./dev bench monitoring/label_free --data digits DATA/clothing DATA/cifar10
    ./dev bench monitoring/label_free --shifts held --data DATA/signdigits DATA/cifar10
    ./dev bench monitoring/label_free --shifts later --data digits DATA/clothing DATA/cifar10

What is foretold depends on what was done to the pictures of the reference that were made worse on
purpose. `--draws 5` measures with five draws of that.

With `--peer FOLDER` the probabilities are written there for `nannyml_cbpe.py`, and its estimates
are shown where they are there already.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from streams import ServedSet, observations

from monitoring.accuracy.estimator import AccuracyEstimator, AccuracySettings

SHIFTS = (
    *("blur-2", "blur-3", "brighter-2", "darker-3", "contrast-3", "noise-1", "noise-2"),
    *("rotation-1", "rotation-2", "jpeg-2", "grey-2", "pixelate-2", "occlusion-2"),
)
HELD_BACK = (
    *("motion-2", "warm-2", "further-1", "further-2", "fog-2", "mirror-1", "mirror-2"),
    *("salt-2", "posterise-2", "inverted-1"),
)
LATER = (
    *("vignette-2", "sideways-2", "glass-2", "stripes-2", "sharpened-3", "shear-2", "hue-2"),
    *("vivid-2", "scratches-2", "narrow-2"),
)
_SETS = {"open": SHIFTS, "held": HELD_BACK, "later": LATER}


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--shifts", choices=_SETS, default="open")
    parser.add_argument("--draws", type=int, default=1, help="of what pictures are made worse by")
    parser.add_argument("--peer", type=Path, default=Path("benchmarks/out/monitoring/peer"))
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/monitoring"))
    arguments = parser.parse_args()
    arguments.peer.mkdir(parents=True, exist_ok=True)
    kept = arguments.peer / "estimates.json"
    peers = json.loads(kept.read_text()) if kept.exists() else {}
    every = []
    for draw in range(arguments.draws):
        print(f"\nDraw {draw}:\n")
        print("| data | shift | truth | foretold | interval | reliable ", end="")
        print("| confidence | ATC | NannyML |")
        print("|---|---|---|---|---|---|---|---|---|")
        rows = []
        for data in arguments.data:
            served = ServedSet(data, arguments.cache, draw=draw)
            rows += _one_set(served, arguments.shifts, arguments.peer, peers)
        _summary(np.array(rows))
        every.append(np.array(rows))
    if len(every) > 1:
        _all_draws(np.array(every))


def _one_set(
    served: ServedSet, shifts: str, peer: Path, peers: dict[str, dict[str, float]]
) -> list[tuple[float, ...]]:
    reference = served.reference()
    named = f"{served.name}-{shifts}"
    arrays = {"reference": reference.probabilities.astype(np.float32), "truth": reference.labels}
    rows = []
    # The window holds one shift at a time.
    estimator = AccuracyEstimator(reference, AccuracySettings(window=served.live))
    for shift in ("clean", *_SETS[shifts]):
        answers = served.answers(shift)
        arrays[shift] = answers.probabilities
        truth = float((answers.probabilities.argmax(axis=1) == answers.labels).mean())
        estimator.add(observations(reference, answers))
        report = estimator.report()
        other = peers.get(named, {}).get(shift, float("nan"))
        print(
            f"| {served.name} | {shift} | {truth:.3f} | {report.estimate:.3f} | "
            f"{report.low:.2f} to {report.high:.2f} | {'yes' if report.reliable else 'no'} | "
            f"{report.by_confidence:.3f} | {report.by_threshold:.3f} | {other:.3f} |",
            flush=True,
        )
        if shift != "clean":
            guesses = (report.estimate, report.by_confidence, report.by_threshold, other)
            errors = [abs(float(guess or 0) - truth) for guess in guesses]
            inside = report.low <= truth <= report.high
            rows.append((*errors, float(report.reliable), float(inside)))
    np.savez(peer / f"{named}.npz", **arrays)  # type: ignore[arg-type]
    return rows


def _summary(rows: np.ndarray) -> None:
    own, confidence, threshold, peer, reliable, inside = rows.T
    sure = reliable > 0
    print(f"\nMean error {own.mean():.3f}; confidence {confidence.mean():.3f}, ATC ", end="")
    print(f"{threshold.mean():.3f}, NannyML {peer.mean():.3f}.")
    print(f"Called reliable: {sure.mean():.0%}, mean error {own[sure].mean():.3f} there; ", end="")
    print(f"off by more than 0.10 there: {int((own[sure] > 0.1).sum())} of {int(sure.sum())}.")
    print(f"Truth inside the interval: {inside.mean():.0%}.")


def _all_draws(every: np.ndarray) -> None:
    errors, reliable, inside = every[:, :, 0], every[:, :, -2] > 0, every[:, :, -1]
    by_draw = errors.mean(axis=1)
    print(f"\n{len(every)} draws: mean error {errors.mean():.3f}, of the worst draw ", end="")
    print(f"{by_draw.max():.3f} ({', '.join(f'{each:.3f}' for each in by_draw)}).")
    print(
        f"Called reliable: {reliable.mean():.0%}, mean error {errors[reliable].mean():.3f} ", end=""
    )
    print(f"there; off by more than 0.10 there: {int((errors[reliable] > 0.1).sum())} of ", end="")
    print(f"{int(reliable.sum())}. Truth inside the interval: {inside.mean():.0%}.")


if __name__ == "__main__":
    main()
