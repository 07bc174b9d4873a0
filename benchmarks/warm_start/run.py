"""The benchmark of warm-started searches: `README.md` beside this file describes it.

    ./dev bench warm_start/run --tasks DIR [DIR …] --seeds 10 --trials 25 --out DIR

Writes `table.md`, `plot.svg`, `table-accuracy.md` and `histories/<task>.jsonl` into the folder
`--out`. Everything is kept in `--cache`: the same command goes on after a kill, and more seeds,
methods or regimes pay for what is new alone.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.warm_start.labels import LABELS
from benchmarks.warm_start.measures import MEASURES
from benchmarks.warm_start.methods import METHODS
from benchmarks.warm_start.methods.peers import PEERS, environments_folder
from benchmarks.warm_start.plot import write_plot
from benchmarks.warm_start.regimes import REGIMES
from benchmarks.warm_start.report import to_markdown
from benchmarks.warm_start.runs import Plan
from benchmarks.warm_start.schedule import Bench, collect_runs, make_histories, make_runs
from benchmarks.warm_start.summary import summarise
from benchmarks.warm_start.tasks import (
    FULL,
    VARIANTS,
    Extractor,
    Limits,
    TaskFile,
    prepare_tasks,
)
from models.errors import BadDataError, GraftError
from models.storage.atomic_write import write_atomically


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        bench, files, targets = prepare(options)
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    plan = Plan(
        tuple(_available(options.methods)), tuple(options.regimes), options.seeds, options.trials
    )
    if plan.methods:
        if not options.report_only:
            make_runs(bench, files, targets, plan, options.jobs)
        results = collect_runs(bench, files, targets, plan, options.jobs)
        for measure in MEASURES:
            summary = summarise(results, plan.methods, plan.regimes, plan.trials, measure)
            suffix = "" if measure == MEASURES[0] else f"-{measure}"
            text = to_markdown(summary)
            write_atomically(options.out / f"table{suffix}.md", text.encode())
            write_plot(options.out / f"plot{suffix}.svg", summary, LABELS)
        print((options.out / "table.md").read_text())
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The options of the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--tasks", nargs="+", type=Path, required=True, metavar="DIR", help="data sets to search on"
    )
    add("--sources", nargs="*", type=Path, default=[], metavar="DIR", help="data sets that are "
        "sources alone")  # fmt: skip
    add(
        "--variants",
        nargs="+",
        choices=VARIANTS,
        default=[FULL],
        help="tasks made of each data set",
    )
    add("--searched", nargs="+", choices=VARIANTS, default=list(VARIANTS),
        help="those of the variants that are searched on; the rest are sources")  # fmt: skip
    add("--groups", nargs="*", default=[], metavar="NAME,NAME…",
        help="data sets, by the names of their folders, that are related and never serve each "
        "other as sources")  # fmt: skip
    add("--seeds", type=int, default=10, help="searches of each method on each task")
    add("--trials", type=int, default=25, help="in each search")
    add("--methods", nargs="*", choices=METHODS, default=list(METHODS),
        help="none at all: make the histories and stop")  # fmt: skip
    add("--regimes", nargs="+", choices=REGIMES, default=["normal", "empty"])
    add("--history-trials", type=int, default=60, help="in the history of each task")
    add("--backbone", default=Extractor.backbone)
    add("--weights", default=Extractor.weights)
    add("--image-size", type=int, default=Extractor.image_size)
    add("--max-train", type=int, default=Limits.train, help="training images of a task")
    add("--max-validation", type=int, default=Limits.validation)
    add("--max-test", type=int, default=Limits.test)
    add("--report-only", action="store_true", help="of the searches that are there; make none")
    add("--jobs", type=int, default=1, help="processes")
    add("--cache", type=Path, default=Path("benchmarks/out/warm_start/cache"))
    add("--out", type=Path, default=Path("benchmarks/out/warm_start"))
    return parser


def prepare(options: argparse.Namespace) -> tuple[Bench, list[TaskFile], list[TaskFile]]:
    """Makes the tasks and their histories, or finds them.

    Returns:
        Where things are, all tasks, and those that are searched on.

    Raises:
        GraftError: a data set cannot be used, or there is no such backbone.
    """
    files, targets = _find_tasks(options)
    bench = Bench(options.cache, options.out / "histories", options.history_trials)
    make_histories(bench, files, options.jobs)
    return bench, files, targets


def _find_tasks(options: argparse.Namespace) -> tuple[list[TaskFile], list[TaskFile]]:
    """All tasks, and those that are searched on."""
    groups = {name: joined.split(",")[0] for joined in options.groups for name in joined.split(",")}
    extractor = Extractor(options.backbone, options.weights, options.image_size)
    limits = Limits(options.max_train, options.max_validation, options.max_test)
    found: list[list[TaskFile]] = [[], []]
    folders = [(folder, 0) for folder in options.tasks] + [
        (folder, 1) for folder in options.sources
    ]
    refused = []
    for (folder, role), name in zip(folders, _names([each for each, _ in folders]), strict=True):
        print(f"embedding: {name}", flush=True)
        try:
            found[role] += prepare_tasks(
                folder,
                name,
                groups.get(folder.name, name),
                options.variants,
                extractor=extractor,
                limits=limits,
                cache=options.cache,
            )
        except BadDataError as error:
            refused.append(f"{folder}: {error}")
    if refused:
        # What a benchmark says depends on its data sets: none is left out in silence.
        raise BadDataError(
            "\n".join([*refused, "Leave these out, or mend them; the rest is kept."])
        )
    targets, sources = found
    searched = [each for each in targets if each.variant in options.searched]
    return [*targets, *sources], searched


def _names(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its own, with a number where two are called the same."""
    seen: Counter[str] = Counter()
    names = []
    for folder in folders:
        name = folder.absolute().name
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _available(methods: Sequence[str]) -> list[str]:
    """Methods whose environment is there."""
    available = []
    for method in methods:
        peer = PEERS.get(method)
        if peer and not (environments_folder() / peer.environment).exists():
            print(
                f"left out: {LABELS[method]}; its environment can be made with"
                f" `./dev python benchmarks/warm_start/peers/setup.py {peer.environment}`",
                flush=True,
            )
            continue
        available.append(method)
    return available


if __name__ == "__main__":
    sys.exit(main())
