"""Head trials beside each other in processes (`tuning.parallel`) against one after the other.

The same random search each time, on made-up embeddings of the size that EfficientNetLite0 gives;
finalists and early stopping are left out. The start of the processes, which each import TensorFlow,
is part of what they cost. A machine with other work has no core left to gain from: look at the CPU
seconds then, which show what the processes cost on top.

    ./dev bench parallel_trials --parallel 1 2 --trials 30
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from models.head.head_trainer import HeadTrainer
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings

_DIMENSION = 1280
_CLASSES = 10
_DISTANCE = 0.12
"""Of the classes' means, in standard deviations of each feature."""


def main() -> None:
    """Measures each number of processes in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parallel", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--images", type=int, default=2000)
    asked = parser.parse_args()
    task = make_task(asked.images)
    for parallel in asked.parallel:
        wall, cpu = measure(task, parallel, asked.trials)
        print(
            f"{parallel} at a time: {asked.trials} trials in {wall:.1f} s, "
            f"{60 * asked.trials / wall:.0f} a minute, {cpu:.1f} CPU s"
        )


def make_task(images: int) -> HeadTask:
    """Classes that overlap, with a quarter as many images again to validate on."""
    generator = np.random.default_rng(0)
    means = _DISTANCE * generator.normal(size=(_CLASSES, _DIMENSION))

    def split(count: int) -> LabelledEmbeddings:
        classes = generator.integers(_CLASSES, size=count)
        noise = generator.normal(size=(count, _DIMENSION))
        return LabelledEmbeddings((means[classes] + noise).astype(np.float32), classes)

    return HeadTask(split(images), split(images // 4), _CLASSES)


def measure(task: HeadTask, parallel: int, trials: int) -> tuple[float, float]:
    """Runs one search.

    Returns:
        Wall seconds, and CPU seconds of all processes.
    """
    settings = SearchSettings(
        algorithm="random",
        trials=trials,
        parallel=parallel,
        epochs=20,
        stop_trials=False,
        finalists=1,
    )
    origin = Origin("made up", "none", "0" * 64, image_size=32, data_fingerprint="f" * 64)
    wall, cpu = time.perf_counter(), cpu_seconds()
    with tempfile.TemporaryDirectory() as scratch:
        search_heads(
            HeadTrainer(task), describe(task, origin), settings, Path(scratch), patience=20
        )
    return time.perf_counter() - wall, cpu_seconds() - cpu


def cpu_seconds() -> float:
    """Of this process and of the ones that it has ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
