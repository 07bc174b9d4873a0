"""How a search spends its budget, replayed on published learning curves.

    ./dev bench search/run --curves DIR [DIR …] [--past DIR …] [--seeds 10] [--out DIR]

Each data set of `--curves` is searched on, with the others of `--curves` as its past (leave one
out), or with those of `--past` alone where it is given. The format is told in `tables.py`. Each
search is kept in `--cache`, by all that it follows from: the same command goes on after a kill, and
more seeds or methods pay for what is new alone. Writes `RESULTS.md` and `plot.svg` into `--out`.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import benchmarks.search
import models.curves
from benchmarks.search.methods import METHODS, Situation
from benchmarks.search.plot import write_plot
from benchmarks.search.report import Results, to_markdown
from benchmarks.search.tables import data_set, read_tables
from models.curves.learning_curve import CurveTask
from models.errors import GraftError
from models.storage.atomic_write import write_atomically


@dataclass(frozen=True)
class Bench:
    """What is searched on, what came before, and where results are kept.

    Attributes:
        tables: data sets.
        past: of every one of them; None for all others.
        cache: folder.
        digest: of the files read and of the code.
    """

    tables: Sequence[CurveTask]
    past: Sequence[CurveTask] | None
    cache: Path
    digest: str

    def situation(self, table: CurveTask, seed: int) -> Situation:
        """A data set, and the past that it is searched with."""
        past = self.tables if self.past is None else self.past
        own = data_set(table.name)
        others = tuple(each for each in past if data_set(each.name) != own)
        return Situation(table, others, seed)

    def regret(self, method: str, situation: Situation) -> list[float]:
        """Makes a search, or finds it; relative regret at each budget."""
        path = self.cache / self.digest / f"{method}-{situation.table.name}-{situation.seed}.json"
        if path.exists():
            return json.loads(path.read_text())["regret"]
        begun = time.process_time()
        regret = METHODS[method](situation).regret()
        kept = {"regret": regret, "cpu_seconds": time.process_time() - begun}
        write_atomically(path, json.dumps(kept).encode())
        return regret


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        tables = read_tables(options.curves)
        past = read_tables(options.past) if options.past else None
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    bench = Bench(tables, past, options.cache, _digest([*options.curves, *options.past]))
    results: Results = {method: {} for method in options.methods}
    for number, table in enumerate(tables, 1):
        for seed in range(options.seeds):
            # One for all methods, so that the past is learned once.
            situation = bench.situation(table, seed)
            for method in options.methods:
                regret = bench.regret(method, situation)
                results[method].setdefault(table.name, []).append(regret)
        print(f"{table.name}: {number} of {len(tables)}", flush=True)
    text = to_markdown(results)
    write_atomically(options.out / "RESULTS.md", text.encode())
    write_plot(options.out / "plot.svg", results)
    print(text)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The options of the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--curves", nargs="+", type=Path, required=True, metavar="DIR", help="to search on")
    add("--past", nargs="*", type=Path, default=[], metavar="DIR", help="to learn from alone")
    add("--seeds", type=int, default=10, help="searches of each method on each data set")
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    add("--cache", type=Path, default=Path("benchmarks/out/search/cache"))
    add("--out", type=Path, default=Path("benchmarks/out/search"))
    return parser


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
    sys.exit(main())
