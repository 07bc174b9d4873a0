"""Makes the starter library: learning curves of fine-tunings that come with Graft.

    ./dev bench search/build_starter DIR [DIR …]

Each DIR is a data set of images, a folder per class. Of each, two tasks are made, with few images
and with some; on each, configurations that are drawn at random from the space of a search
(`models.search.joint_space`) are trained to their end, by the code that a run of Graft searches
with, on small images. Curves drawn at random tell of all the space, while those of a search leave
most of it blank. Each stretch is kept in `--cache`: the same command goes on after a kill, and a
library of what there is so far is written after each task. Its seconds are CPU seconds of all
threads: other work on the machine changes these less than those of the clock.

scikit-learn's digits are not for this library: `graft demo` searches on them.
"""

import argparse
import gc
import hashlib
import itertools
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from benchmarks.search.small_task import SmallTask, split_files, write_examples
from models.backbone_choice.backbone_choice import Candidate
from models.data.example_schema import TRAIN, VALIDATION
from models.errors import GraftError
from models.head.task_description import Origin, describe
from models.history.records import Curve, Evaluation, SearchDescription
from models.history.search_space import Values
from models.history.shipped import FOLDER, sample_images, write_samples
from models.history.tuning_history import new_history, write_history
from models.oracles.freeze_thaw_oracle import EPOCHS, INITIAL_EPOCH
from models.search.joint_search import METRIC
from models.search.joint_space import UNFREEZE, candidate_of, configurations, is_frozen, space_of
from models.search.search_task import SearchTask
from models.search.stretch_runner import DivergedError, StretchRunner
from models.search.trial_store import TrialStore
from models.search.tried import Tried
from models.training.training_settings import TrainingSettings

IMAGES_A_CLASS = {"few": 10, "some": 25}
"""To train on, by the task's name; a search on more images is another matter of minutes, not of
what is better."""
_VALIDATION, _MOST_CLASSES = 120, 15
_NAMES = ("EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2")
_SIZES = (96, 64)
_CANDIDATES = 3
_SHARES_EACH, _CURVES_A_SHARE = 2, 3
_DIGITS = 4
"""Decimals of the curves."""


@dataclass(frozen=True)
class Options:
    """Of the command line.

    Attributes:
        folders: data sets.
        cache: of stretches and embeddings.
        out: folder of the library.
        minutes: after which no further curve is begun.
    """

    folders: tuple[Path, ...]
    cache: Path
    out: Path
    minutes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the library; returns the exit code."""
    options = _parse(arguments)
    deadline = time.monotonic() + 60 * options.minutes
    samples: dict[str, list[str]] = {}
    try:
        # All tasks of one kind first: a library that is cut short knows many sets.
        for kind, folder in itertools.product(IMAGES_A_CLASS, options.folders):
            files = split_files(folder, IMAGES_A_CLASS[kind], _VALIDATION, _MOST_CLASSES)
            name = f"{folder.name}-{kind}"
            if write_task(name, files, options, deadline):
                samples[f"{name}.jsonl"] = sample_images(
                    hashlib.sha256(each.path.read_bytes()).hexdigest() for each in files.every
                )
                write_samples(options.out, samples)
            keras.backend.clear_session()
            gc.collect()
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def write_task(name: str, files: SmallTask, options: Options, deadline: float) -> bool:
    """Writes the history of a task; false where not one curve came out."""
    examples = options.cache / "examples" / name
    if not examples.exists():
        write_examples(examples, {TRAIN: files.train, VALIDATION: files.validation})
    task = _task(name, files.labels, examples, options.cache)
    runner = StretchRunner(task, options.cache / "stretches" / name)
    pool = configurations(task, len(files.train))
    chosen = draw(pool, random.Random(name))
    tried, curves = Tried(), TrialStore(options.cache / "curves" / name)
    for number, values in enumerate(chosen):
        stretch = {**values, EPOCHS: task.training.epochs, INITIAL_EPOCH: 0}
        if curves.get(stretch, task.seed) is None and time.monotonic() > deadline:
            continue
        try:
            evaluation = _made(runner, curves, stretch, task.seed)
        except DivergedError as error:
            tried.add(values, None, str(error))
            continue
        tried.add(values, evaluation)
        print(
            f"{name} {number + 1}/{len(chosen)}: {evaluation.score:.3f} after "
            f"{len(evaluation.curve.scores)} epochs, {evaluation.seconds:.0f} s",
            flush=True,
        )
        if not is_frozen(values):
            runner.state_file(values).unlink(missing_ok=True)
    if not any(each.evaluations for each in tried.records):
        return False
    prepared = runner.prepared(task.candidates[0])
    origin = Origin(
        backbone=prepared.backbone.name,
        weights="imagenet",
        weights_digest=prepared.backbone.weights_digest,
        image_size=prepared.backbone.image_size,
        data_fingerprint=hashlib.sha256(name.encode()).hexdigest(),
    )
    search = SearchDescription(
        algorithm="random",
        seed=task.seed,
        epochs=task.training.epochs,
        patience=task.training.waits(len(files.train)),
        class_weights=task.training.weighting,
        metric=METRIC,
        subject="joint",
    )
    described = describe(prepared.embeddings, origin)
    history = new_history(
        space_of(pool),
        # Nobody can begin from these backbones, so no task is to be told that it is like them.
        described.model_copy(update={"centre": ()}),
        search,
        tried.records,
        name=f"{name} (starter)",
    )
    options.out.mkdir(parents=True, exist_ok=True)
    write_history(options.out / f"{name}.jsonl", history)
    runner.close()
    return True


def draw(pool: Sequence[Values], draw: random.Random) -> list[Values]:
    """Frozen backbones, and some fine-tunings of each at a few depths.

    Those of one depth share what TensorFlow traces and what the frozen layers make of the images.
    """
    frozen = [values for values in pool if is_frozen(values)]
    by_depth: dict[tuple[Candidate, float], list[Values]] = defaultdict(list)
    for values in pool:
        if not is_frozen(values):
            by_depth[candidate_of(values), float(values[UNFREEZE])].append(values)
    drawn = list(frozen)
    for candidate in dict.fromkeys(candidate for candidate, _ in by_depth):
        depths = [depth for depth in by_depth if depth[0] == candidate]
        for depth in draw.sample(depths, _SHARES_EACH):
            drawn += draw.sample(by_depth[depth], _CURVES_A_SHARE)
    return drawn


def _task(name: str, labels: tuple[str, ...], examples: Path, cache: Path) -> SearchTask:
    every = [
        Candidate(backbone=backbone, weights="imagenet", image_size=size)
        for backbone, size in itertools.product(_NAMES, _SIZES)
    ]
    others = random.Random(f"{name} backbones").sample(every[1:], _CANDIDATES - 1)
    return SearchTask(
        examples_uri=str(examples),
        labels=labels,
        candidates=(every[0], *others),
        resize="stretch",
        features="all",
        training=TrainingSettings(),
        seed=1,
        embeddings=str(cache / "embeddings"),
        activations=str(cache / "activations"),
    )


def _made(runner: StretchRunner, curves: TrialStore, stretch: Values, seed: int) -> Evaluation:
    evaluation = curves.get(stretch, seed)
    if evaluation is None:
        clock, cpu = time.monotonic(), time.process_time()
        evaluation = runner.run(stretch)
        busy = (time.process_time() - cpu) / (time.monotonic() - clock)
        evaluation = _rounded(evaluation, busy)
        curves.put(stretch, evaluation)
    return evaluation


def _rounded(evaluation: Evaluation, busy: float) -> Evaluation:
    """A curve of few digits, in CPU seconds: `busy` ones for a second of the clock."""
    columns = evaluation.curve.model_dump()
    columns["seconds"] = [busy * each for each in columns["seconds"]]
    rounded = {name: tuple(round(each, _DIGITS) for each in columns[name]) for name in columns}
    seconds = round(busy * evaluation.seconds, _DIGITS)
    return evaluation.model_copy(update={"curve": Curve(**rounded), "seconds": seconds})


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="DIR", help="data sets")
    add("--cache", type=Path, default=Path("benchmarks/out/search/starter"))
    add("--out", type=Path, default=FOLDER)
    add("--minutes", type=float, default=1e6, help="after which no further curve is begun")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
