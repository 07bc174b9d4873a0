"""Makes the starter library: the histories that come with Graft, from searches on any images.

    ./dev bench warm_start/build_starter DIR [DIR …]

Each DIR is a data set of images, a folder per class; the tasks are those of the benchmark
(`benchmarks.warm_start.tasks`). On each, one search without any past, by the code that a run of
Graft searches with. Everything is kept in `--cache`: the same command goes on after a kill.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.warm_start.problem import CLASS_WEIGHTS, EPOCHS, PATIENCE
from benchmarks.warm_start.tasks import FULL, VARIANTS, Extractor, Limits, Task, prepare_tasks
from models.errors import GraftError
from models.tuning.collection import STARTER
from models.tuning.head_trainer import HeadTrainer
from models.tuning.history import TuningHistory, write_history
from models.tuning.records import Curve, Evaluation, TrialRecord
from models.tuning.search import search_heads
from models.tuning.settings import SearchSettings
from pipeline.config import TuningConfig

_DIGITS = 4
"""Decimals of the learning curves: half the size, and the scores keep all of theirs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the library; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        for folder in options.folders:
            name = folder.absolute().name
            print(f"embedding: {name}", flush=True)
            files = prepare_tasks(
                folder,
                name,
                name,
                options.variants,
                extractor=Extractor(),
                limits=Limits(),
                cache=options.cache,
            )
            for file in files:
                print(f"searching: {file.name}", flush=True)
                history = search(file.read(), options.trials, options.cache)
                write_history(options.out / f"{file.name}.jsonl", history)
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="data sets")
    add("--variants", nargs="+", choices=VARIANTS, default=[FULL, "few"],
        help="tasks made of each data set")  # fmt: skip
    add("--trials", type=int, default=40, help="of each search")
    add("--cache", type=Path, default=Path("benchmarks/out/warm_start/cache"))
    add("--out", type=Path, default=STARTER)
    return parser


def search(task: Task, trials: int, cache: Path) -> TuningHistory:
    """Searches on a task without any past, in the space that is Graft's default.

    Args:
        task: with its embeddings.
        trials: in all.
        cache: folder that finished trials are kept in.
    """
    space = TuningConfig().model_dump(exclude={"trials"})
    settings = SearchSettings.model_validate(
        {
            **space,
            "algorithm": "warm",
            "trials": trials,
            "epochs": EPOCHS,
            "patience": PATIENCE,
            "class_weights": CLASS_WEIGHTS,
            # A source is worth as much without its finalists trained again.
            "finalists": 1,
            "repeats": 0,
        }
    )
    result = search_heads(
        HeadTrainer(task.data, CLASS_WEIGHTS),
        task.description,
        settings,
        cache / "starter",
        name=f"{task.name} (starter)",
    )
    return TuningHistory(result.history.header, tuple(map(_shortened, result.history.trials)))


def _shortened(trial: TrialRecord) -> TrialRecord:
    evaluations = tuple(
        each.model_copy(update={"curve": _rounded(each)}) for each in trial.evaluations
    )
    return trial.model_copy(update={"evaluations": evaluations})


def _rounded(evaluation: Evaluation) -> Curve:
    columns = evaluation.curve.model_dump()
    return Curve(
        **{name: tuple(round(each, _DIGITS) for each in columns[name]) for name in columns}
    )


if __name__ == "__main__":
    sys.exit(main())
