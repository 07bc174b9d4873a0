"""How a search spends its budget: replayed on published learning curves, or live on images.

    ./dev bench search/run --curves DIR [DIR …] [--past DIR …] [--seeds 10] [--out DIR]
        [--on NAME …] [--methods freeze-thaw …] [--syne-tune PYTHON] [--quick-tune PYTHON]
    ./dev bench search/run --tasks DIR [DIR …] [--minutes 10] [--seeds 3]
        [--images-per-class 20,50,100] [--arms joint …]

**--curves.** Each data set (or those of `--on`) is searched on, with the others as its past (leave
one out), or with those of `--past` alone where it is given. The format is told in `tables.py`. Each
search is kept in `--cache`, by all that it follows from: the same command goes on after a kill, and
more seeds or methods pay for what is new alone. Writes `RESULTS.md` and `plot.svg` into `--out`.

The searches of other tools (`peers/`) take part like the methods of this folder: Keras Tuner's
always, Syne Tune's and Quick-Tune's where the Python of an environment is given that has them. The
first lines of `peers/syne_tune_schedulers.py` and `peers/quick_tune_optimizer.py` say how to make
it.

**--tasks.** Each DIR holds labelled images, a folder per class, or splits of these. Each arm
(`live/arms`) has the same time on the same cores, in a process of its own, and its model answers
test images that none has seen (`live/bench.py`). Each result is a line of `results.jsonl` in
`--cache`; the same command goes on after a stop, which costs an arm at most. Prints the tables, and
writes them to `live.md` in `--out`.
"""

import argparse
import contextlib
import hashlib
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import benchmarks.search
import models.curves
from benchmarks.search.live.arm_names import ARM_NAMES
from benchmarks.search.methods import METHODS, Method, Situation
from benchmarks.search.peers.names import PEERS
from benchmarks.search.peers.running import running_peers
from benchmarks.search.plot import write_plot
from benchmarks.search.report import Results, to_markdown
from benchmarks.search.tables import data_set, read_tables
from models.curves.learning_curve import CurveTask
from models.errors import GraftError, UsageError
from models.storage.atomic_write import write_atomically

_REPLAYED_SEEDS, _LIVE_SEEDS = 10, 3


@dataclass(frozen=True)
class Bench:
    """What is searched on, what came before, and where results are kept.

    Attributes:
        tables: data sets.
        past: of every one of them; None for all others.
        methods: by name.
        cache: folder.
        digests: of each method, of the files read and of the code.
    """

    tables: Sequence[CurveTask]
    past: Sequence[CurveTask] | None
    methods: Mapping[str, Method]
    cache: Path
    digests: Mapping[str, str]

    def situation(self, table: CurveTask, seed: int) -> Situation:
        """A data set, and the past that it is searched with."""
        past = self.tables if self.past is None else self.past
        own = data_set(table.name)
        others = tuple(each for each in past if data_set(each.name) != own)
        return Situation(table, others, seed)

    def regret(self, method: str, situation: Situation) -> list[float]:
        """Makes a search, or finds it; relative regret at each budget."""
        name = f"{method}-{situation.table.name}-{situation.seed}.json"
        path = self.cache / self.digests[method] / name
        if path.exists():
            return json.loads(path.read_text())["regret"]
        begun = time.process_time()
        regret = self.methods[method](situation).regret()
        kept = {"regret": regret, "cpu_seconds": time.process_time() - begun}
        write_atomically(path, json.dumps(kept).encode())
        return regret


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        return _live(options) if options.tasks else _replayed(options)
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _live(options: argparse.Namespace) -> int:
    # They need TensorFlow, which a replay does not.
    from benchmarks.search.live.bench import Comparison, compare
    from benchmarks.search.live.table import to_markdown

    comparison = Comparison(
        folders=options.tasks,
        arms=options.arms,
        seeds=options.seeds or _LIVE_SEEDS,
        images_a_class=options.images_per_class,
        minutes=options.minutes,
        cores=options.cores,
        most_test=options.test_images,
        cache=options.cache / "live",
    )
    results, failed = compare(comparison)
    text = to_markdown(results, options.arms)
    write_atomically(options.out / "live.md", text.encode())
    print(text)
    return 1 if failed else 0


def _replayed(options: argparse.Namespace) -> int:
    seeds = options.seeds or _REPLAYED_SEEDS
    tables = read_tables(options.curves)
    past = read_tables(options.past) if options.past else None
    searched = _searched(tables, options.on)
    pythons = {name: getattr(options, name) for name in ("syne_tune", "quick_tune")}
    names = options.methods or [*METHODS, *(name for name in PEERS if PEERS[name].can_run(pythons))]
    results: Results = {method: {} for method in names}
    with contextlib.ExitStack() as tools:
        peers, keys = running_peers([each for each in names if each in PEERS], pythons, tools)
        digest = _digest([*options.curves, *options.past])
        digests = {name: "-".join([digest, *keys.get(name, [])]) for name in names}
        bench = Bench(tables, past, {**METHODS, **peers}, options.cache, digests)
        for number, table in enumerate(searched, 1):
            for seed in range(seeds):
                # One for all methods, so that the past is learned once.
                situation = bench.situation(table, seed)
                for method in names:
                    regret = bench.regret(method, situation)
                    results[method].setdefault(table.name, []).append(regret)
            print(f"{table.name}: {number} of {len(searched)}", flush=True)
    text = to_markdown(results)
    write_atomically(options.out / "RESULTS.md", text.encode())
    write_plot(options.out / "plot.svg", results)
    print(text)
    return 0


def _searched(tables: Sequence[CurveTask], names: Sequence[str] | None) -> list[CurveTask]:
    known = [each.name for each in tables]
    if unknown := sorted(set(names or known) - set(known)):
        raise UsageError(
            f"--on takes data sets of --curves, which are {', '.join(known)}, but got "
            f"{', '.join(unknown)}"
        )
    return [each for each in tables if each.name in (names or known)]


def build_parser() -> argparse.ArgumentParser:
    """The options of the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--curves", nargs="+", type=Path, metavar="DIR", help="to replay searches on")
    kind.add_argument(
        "--tasks", nargs="+", type=Path, metavar="DIR", help="of images, to search on"
    )
    add("--past", nargs="*", type=Path, default=[], metavar="DIR", help="to learn from alone")
    add(
        "--seeds",
        type=int,
        help=f"on each data set: {_REPLAYED_SEEDS} with --curves, {_LIVE_SEEDS} with --tasks",
    )
    add("--on", nargs="+", metavar="NAME", help="data sets to search on; all if not given")
    add(
        "--methods",
        nargs="+",
        choices=[*METHODS, *PEERS],
        metavar="METHOD",
        help=f"of {', '.join([*METHODS, *PEERS])}; all that can run where it is not given",
    )
    add("--syne-tune", type=Path, metavar="PYTHON", help="of an environment that has Syne Tune")
    add("--quick-tune", type=Path, metavar="PYTHON", help="of an environment that has Quick-Tune")
    add(
        "--arms",
        nargs="+",
        choices=ARM_NAMES,
        default=list(ARM_NAMES),
        help="the first is compared with all",
    )
    add("--minutes", type=float, default=10.0, help="of each arm")
    add("--cores", type=int, default=2, help="of each arm")
    add(
        "--images-per-class",
        type=_sizes,
        default=(None,),
        metavar="N,…",
        help="to train and validate on, at most; all where it is not given",
    )
    add("--test-images", type=int, default=1000, help="at most")
    add("--cache", type=Path, default=Path("benchmarks/out/search/cache"))
    add("--out", type=Path, default=Path("benchmarks/out/search"))
    return parser


def _sizes(text: str) -> tuple[int | None, ...]:
    return tuple(int(each) for each in text.split(","))


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.gz"), *folder.glob("*.jsonl")])


def _digest(folders: Sequence[Path]) -> str:
    code = [
        path
        for room in (models.curves, benchmarks.search)
        for folder in room.__path__
        for path in sorted(Path(folder).glob("*.py"))
        if path.name not in ("run.py", "report.py", "plot.py")
    ]
    data = [path for folder in folders for path in _files(folder)]
    parts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in [*code, *data]]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


if __name__ == "__main__":
    # So that a process that is told to end ends its arm or its tools too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
