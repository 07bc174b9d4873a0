"""Does the evidence of drift keep quiet while nothing changes, and how soon does it speak?

For each data set a linear head on the frozen backbone is the served model; the held-out images are
divided at random into its reference and a stream. Beside it stand tests of windows, as they are
usually run (each window at 5 %, corrected for the tests within it), and the same at a level at
which their false alarms are as rare. What is measured is kept; a second call goes on.

    ./dev bench monitoring/drift --data digits ../shared/data/cifar10
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from drift_streams import Plan, Stream, clean, corrupted, fewer_labels, new_class
from graded_changes import OF_COLOUR
from peers import RARE, USUAL
from streams import ServedSet

from models.intervals import share_interval
from models.storage.atomic_write import write_atomically
from monitoring.evidence import DriftEvidence, DriftSettings

_STEP = 128
OURS = "evidence"
SHOWN = ("blur-2", "darker-2", "noise-2", "rotation-1", "jpeg-2", "grey-2")
"""What the evidence was made with."""
HELD_BACK = (
    *("contrast-2", "pixelate-2", "salt-1", "occlusion-1", "swapped", "further-1", "brighter-2"),
    *("motion-2", "fog-1", "warm-1", "inverted-1"),
)
"""What nothing was tuned to."""


def main() -> None:
    """Prints two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, help="folders of images, or `digits`")
    parser.add_argument("--reference", type=int, default=500, help="images of the reference")
    parser.add_argument("--before", type=int, default=200, help="clean images before a shift")
    parser.add_argument("--quiet", type=int, default=500, help="clean streams, over all sets")
    parser.add_argument("--shifts", type=int, default=20, help="streams of each shift and set")
    parser.add_argument("--peers", type=int, default=50, help="clean streams for the peers")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/monitoring"))
    arguments = parser.parse_args()
    kept = _Kept(arguments.cache / "drift.json")
    for data in arguments.data:
        _measure(data, arguments, kept)
    _print_quiet(kept.rows)
    _print_shifts(kept.rows)


class _Kept:
    """Streams that were measured: key to the image at which each method raised its alarm."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, dict[str, int | None]] = {}
        if path.exists():
            self.rows = json.loads(path.read_text())

    def measure(
        self, key: str, draw: Callable[[], Stream], methods: dict[str, Callable[..., int | None]]
    ) -> None:
        if key in self.rows and methods.keys() <= self.rows[key].keys():
            return
        stream = draw()
        self.rows[key] = {name: method(stream) for name, method in methods.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self.rows).encode())


def _measure(data: str, arguments: argparse.Namespace, kept: _Kept) -> None:
    served = ServedSet(data, arguments.cache)
    strangers = ServedSet(data, arguments.cache, without=served.classes[0])
    prefix = f"{served.name}/{arguments.reference}"
    methods: dict[str, Callable[..., int | None]] = {OURS: first_alarm, **USUAL, **RARE}
    quiet = Plan(arguments.reference, 0, 0)
    streams = -(-arguments.quiet // len(arguments.data))
    for number in range(streams):
        some = methods if number < arguments.peers // len(arguments.data) else {OURS: first_alarm}
        random = np.random.default_rng([number, 1])
        kept.measure(f"{prefix}/clean/{number}", partial(clean, served, quiet, random), some)
    plan = Plan(arguments.reference, arguments.before, 500)
    for number in range(arguments.shifts):
        for name, draw in _shifts(served, strangers, plan, number):
            kept.measure(f"{prefix}/{name}/{number}", draw, {OURS: first_alarm, **RARE})


def _shifts(
    served: ServedSet, strangers: ServedSet, plan: Plan, number: int
) -> Iterator[tuple[str, Callable[[], Stream]]]:
    def random() -> np.random.Generator:
        return np.random.default_rng([number, 2])

    for kind in (*SHOWN, *HELD_BACK):
        if served.is_grey and kind in OF_COLOUR:
            continue
        for share in (1.0, 0.2):
            yield f"{kind} {share:.0%}", partial(corrupted, served, plan, kind, share, random())
    yield "labels halved", lambda: fewer_labels(served, plan, random())
    yield "new class 10%", lambda: new_class(strangers, plan, 0.1, random())


def first_alarm(stream: Stream) -> int | None:
    """Images up to the alarm, from the shift on; negative for one before it."""
    evidence = DriftEvidence(stream.reference, DriftSettings())
    for at in range(0, len(stream.observations), _STEP):
        before = evidence.state()
        evidence.add(stream.observations[at : at + _STEP])
        if evidence.report().alarms:
            return _exactly(stream, before, at) - stream.change
    return None


def _exactly(stream: Stream, state: dict[str, np.ndarray], at: int) -> int:
    """Images in all up to the alarm, which is within `_STEP` images from `at` on."""
    evidence = DriftEvidence.from_state(stream.reference, DriftSettings(), state)
    for place in range(at, at + _STEP):
        evidence.add(stream.observations[place : place + 1])
        if evidence.report().alarms:
            return place + 1
    raise AssertionError("the same images raised an alarm a moment ago")


def _print_quiet(rows: dict[str, dict[str, int | None]]) -> None:
    head = "| data | method | clean streams | false alarms | 95 % interval |"
    print(f"{head}\n|---|---|---|---|---|")
    found: dict[tuple[str, str], list[bool]] = {}
    for key, alarms in rows.items():
        data, _, shift, _ = key.split("/")
        if shift == "clean":
            for name, alarm in alarms.items():
                for each in (data, "all"):
                    found.setdefault((name, each), []).append(alarm is not None)
    for (name, data), hits in sorted(found.items()):
        low, high = share_interval(sum(hits), len(hits))
        share = f"{np.mean(hits):.1%} | {low:.1%} to {high:.1%}"
        print(f"| {data} | {name} | {len(hits)} | {share} |")
    print()


def _print_shifts(rows: dict[str, dict[str, int | None]]) -> None:
    cells: dict[tuple[str, str], dict[str, list[float]]] = {}
    for key, alarms in rows.items():
        name, _, shift, _ = key.split("/")
        if shift == "clean":
            continue
        for method, alarm in alarms.items():
            delay = np.inf if alarm is None or alarm <= 0 else float(alarm)
            cells.setdefault((name, shift), {}).setdefault(method, []).append(delay)
    methods = list(dict.fromkeys(name for cell in cells.values() for name in cell))
    print(f"| data | shift | {' | '.join(methods)} |\n|---|---|{'---|' * len(methods)}")
    for (data, shift), cell in sorted(cells.items()):
        kept_back = " *" if shift.split(" ")[0] in HELD_BACK else ""
        texts = [_delays(cell[name]) for name in methods]
        print(f"| {data} | {shift}{kept_back} | {' | '.join(texts)} |")


def _delays(delays: list[float]) -> str:
    """Median and the share that was found."""
    median = float(np.median(delays))
    text = f"{median:.0f}" if np.isfinite(median) else "–"
    return f"{text} ({np.mean(np.isfinite(delays)):.0%})"


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"\n{time.monotonic() - start:.0f} s")
