"""Makes the starter library: the histories that come with Graft, from searches on any images.

    ./dev bench warm_start/build_starter DIR [DIR …]

Each DIR is a data set of images, a folder per class; the tasks are those of the benchmark
(`benchmarks.warm_start.tasks`). On each, one random search, by the code that a run of Graft
searches with: random trials tell of all the space, while a search that goes after the best leaves
most of it blank and says little of what makes the difference. Everything is kept in `--cache`: the
same command goes on after a kill.

scikit-learn's digits are not for this library: `graft demo` searches on them.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.warm_start.images import list_images
from benchmarks.warm_start.problem import CLASS_WEIGHTS
from benchmarks.warm_start.tasks import (
    FULL,
    VARIANTS,
    Extractor,
    Limits,
    Task,
    TaskFile,
    prepare_tasks,
)
from models.errors import GraftError
from models.head.head_trainer import HeadTrainer
from models.history.records import Curve, Evaluation, TrialRecord
from models.history.shipped import FOLDER, sample_images, write_samples
from models.history.tuning_history import TuningHistory, write_history
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings

_DIGITS = 4
"""Decimals of the learning curves: half the size, and the scores keep all of theirs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the library; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        samples: dict[str, list[str]] = {}
        for folder in options.folders:
            sample = sample_images(_digests(folder, options.cache))
            for file in _tasks(folder, options.variants, options.cache):
                print(f"searching: {file.name}", flush=True)
                history = search(file.read(), options.trials, options.cache)
                path = options.out / f"{file.name}.jsonl"
                write_history(path, history)
                samples[path.name] = sample
        write_samples(options.out, samples)
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
    add("--trials", type=int, default=60, help="of each search")
    add("--cache", type=Path, default=Path("benchmarks/out/warm_start/cache"))
    add("--out", type=Path, default=FOLDER)
    return parser


def _digests(folder: Path, cache: Path) -> list[str]:
    """Of all files of a data set."""
    files = list_images(folder, cache / "digests", seed=0)
    return [image.sha256 for split in files.values() for image in split]


def _tasks(folder: Path, variants: Sequence[str], cache: Path) -> list[TaskFile]:
    name = folder.absolute().name
    print(f"embedding: {name}", flush=True)
    return prepare_tasks(
        folder, name, name, variants, extractor=Extractor(), limits=Limits(), cache=cache
    )


def search(task: Task, trials: int, cache: Path) -> TuningHistory:
    """Searches on a task, in the space that is Graft's default.

    Args:
        task: with its embeddings.
        trials: in all.
        cache: folder that finished trials are kept in.
    """
    settings = SearchSettings(
        algorithm="random",
        trials=trials,
        # Scores as they are, and no finalists: they would be worth no more to a later search.
        stop_trials=False,
        finalists=1,
        repeats=0,
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
