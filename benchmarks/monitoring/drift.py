"""Does the evidence of drift keep quiet while nothing changes, and how soon does it speak?

For each data set a linear head on the frozen backbone is the served model; the held-out images are
divided at random into its reference and a stream. Beside it stand tests of windows, as they are
usually run (each window at 5 %, corrected for the tests within it), and the same at a level at
which their false alarms are as rare. What is measured is kept; a second call goes on.

    ./dev bench monitoring/drift --data digits ../shared/data/cifar10
"""

import argparse
import copy
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from drift_streams import Plan, Stream, clean, corrupted, fewer_labels, new_class
from graded_changes import OF_COLOUR
from kept import Kept
from peer_streams import found_by_tools
from peers import RARE, TOLD, USUAL
from streams import ServedSet

from models.intervals import share_interval
from monitoring.evidence import DriftEvidence, DriftSettings
from monitoring.observations import Observations

Draw = Callable[[], Stream]
Methods = dict[str, Callable[..., int | None]]

CLEAN = "clean"
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
    parser = arguments_of_streams(__doc__)
    parser.add_argument("--evidence-alone", action="store_true", help="without tests of windows")
    parser.add_argument("--minutes", type=float, default=1e9, help="to stop after, and go on later")
    arguments = parser.parse_args()
    kept, end = Kept(arguments.cache / "drift.json"), time.monotonic() + 60 * arguments.minutes
    for data in arguments.data:
        for key, draw in planned(data, arguments):
            if time.monotonic() < end:
                _measured(kept, key, draw, _methods(key, arguments))
    reference = str(arguments.reference)
    rows = {key: row for key, row in kept.rows.items() if key.split("/")[1] == reference}
    for key, alarms in found_by_tools(arguments.tools).items():
        rows[key] = rows.get(key, {}) | alarms
    _print_quiet(rows)
    _print_shifts(rows)


def _measured(kept: Kept, key: str, draw: Draw, methods: Methods) -> None:
    """Has each method look at a stream, and keeps the image at which it raised its alarm."""
    known = kept.rows.get(key, {})
    missing = {name: method for name, method in methods.items() if name not in known}
    if missing:
        stream = draw()
        kept.keep(key, known | {name: method(stream) for name, method in missing.items()})


def arguments_of_streams(about: str) -> argparse.ArgumentParser:
    """A parser of what says which streams there are."""
    parser = argparse.ArgumentParser(description=about.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, help="folders of images, or `digits`")
    parser.add_argument("--reference", type=int, default=500, help="images of the reference")
    parser.add_argument("--before", type=int, default=200, help="clean images before a shift")
    parser.add_argument("--quiet", type=int, default=500, help="clean streams, over all sets")
    parser.add_argument("--shifts", type=int, default=20, help="streams of each shift and set")
    parser.add_argument(
        "--kinds", nargs="*", help="of shifts, as the table has them; all if not given"
    )
    parser.add_argument("--peers", type=int, default=50, help="clean streams for the peers")
    cache = Path("benchmarks/out/monitoring")
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("--tools", type=Path, default=cache / "streams", help="see export_streams")
    return parser


def planned(data: str, arguments: argparse.Namespace) -> Iterator[tuple[str, Draw]]:
    """The streams of a data set: their keys, and how they are drawn."""
    served = ServedSet(data, arguments.cache)
    strangers = ServedSet(data, arguments.cache, without=served.classes[0])
    prefix = f"{served.name}/{arguments.reference}"
    quiet = Plan(arguments.reference, 0, 0)
    for number in range(-(-arguments.quiet // len(arguments.data))):
        random = np.random.default_rng([number, 1])
        yield f"{prefix}/{CLEAN}/{number}", partial(clean, served, quiet, random)
    plan = Plan(arguments.reference, arguments.before, 500)
    for number in range(arguments.shifts):
        for name, draw in _shifts(served, strangers, plan, number):
            if arguments.kinds is None or name in arguments.kinds:
                yield f"{prefix}/{name}/{number}", draw


def _methods(key: str, arguments: argparse.Namespace) -> Methods:
    """What looks at a stream beside the evidence."""
    ours: Methods = {OURS: first_alarm}
    _, _, shift, number = key.split("/")
    if shift != CLEAN:
        return ours | TOLD | ({} if arguments.evidence_alone else RARE)
    if arguments.evidence_alone:
        return ours
    is_for_all = int(number) < arguments.peers // len(arguments.data)
    return ours | USUAL | RARE if is_for_all else ours


def _shifts(
    served: ServedSet, strangers: ServedSet, plan: Plan, number: int
) -> Iterator[tuple[str, Draw]]:
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
        before = copy.deepcopy(evidence)
        evidence.add(stream.observations[at : at + _STEP])
        if evidence.report().alarms:
            return at + _exactly(stream.observations[at : at + _STEP], before) - stream.change
    return None


def _exactly(images: Observations, evidence: DriftEvidence) -> int:
    """How many of some images it takes to the alarm that they are known to raise."""
    quiet, loud = 0, len(images)
    while loud - quiet > 1:
        middle = (quiet + loud) // 2
        tried = copy.deepcopy(evidence)
        tried.add(images[:middle])
        quiet, loud = (quiet, middle) if tried.report().alarms else (middle, loud)
    return loud


def _print_quiet(rows: dict[str, dict[str, int | None]]) -> None:
    head = "| data | method | clean streams | false alarms | 95 % interval |"
    print(f"{head}\n|---|---|---|---|---|")
    found: dict[tuple[str, str], list[bool]] = {}
    for key, alarms in rows.items():
        data, _, shift, _ = key.split("/")
        if shift == CLEAN:
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
        if shift == CLEAN:
            continue
        for method, alarm in alarms.items():
            delay = np.inf if alarm is None or alarm <= 0 else float(alarm)
            cells.setdefault((name, shift), {}).setdefault(method, []).append(delay)
    methods = list(dict.fromkeys(name for cell in cells.values() for name in cell))
    print(f"| data | shift | {' | '.join(methods)} |\n|---|---|{'---|' * len(methods)}")
    for (data, shift), cell in sorted(cells.items()):
        kept_back = " *" if shift.split(" ")[0] in HELD_BACK else ""
        texts = [_delays(cell[name]) if name in cell else "" for name in methods]
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
