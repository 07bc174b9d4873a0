"""The oracle's own time as a share of a trial's, with many and long histories.

    ./dev bench warm_start/oracle_time --sources 50 --source-trials 100 --trials 25

The trials are real trainings of heads on made-up embeddings, as many epochs as asked for; the
histories are made up too. What an oracle takes does not depend on what the scores are. Wall and CPU
seconds are told: on a machine with other work, go by the CPU's.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.warm_start.methods.interface import Problem
from benchmarks.warm_start.methods.oracles import warm
from benchmarks.warm_start.problem import SPACE, sample
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import Values
from models.search.search_settings import SearchSettings

Result = TypeVar("Result")

_REACH = 0.1
_CLASSES = 10
_VALIDATION_IMAGES = 400


@dataclass
class Watch:
    """Adds up what calls take.

    Attributes:
        wall: seconds of each call.
        cpu: likewise.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def time(self, call: Callable[[], Result]) -> Result:
        """Calls and notes the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        return result


def main() -> None:
    """Prints seconds a trial of both, and their ratio."""
    options = _options()
    task = _task(options.images, options.dimension)
    described = describe(task, Origin("made up", "none", "", 128, "target"))
    generator = np.random.default_rng(0)
    past = tuple(
        _source(number, options.source_trials, described, generator)
        for number in range(options.sources)
    )
    trainer = HeadTrainer(task)
    for hidden_units in SearchSettings().model_dump()["hidden_units"]:
        # Each width is compiled once in a process.
        _train(trainer, HeadParameters(hidden_units=hidden_units).to_values(), 1)
    own, training, choosing = Watch(), Watch(), Watch()
    with tempfile.TemporaryDirectory() as scratch:
        problem = Problem(SPACE, past, described, options.trials, options.epochs, 0, Path(scratch))
        method = own.time(lambda: warm(problem))
        for _ in range(options.trials):
            proposal = own.time(method.ask)
            assert proposal is not None
            values = proposal.values
            score = training.time(lambda values=values: _train(trainer, values, options.epochs))
            own.time(lambda score=score: method.tell(score))
            choosing.time(method.choose)
    _print(own, training, choosing, options.trials)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sources", type=int, default=50)
    parser.add_argument("--source-trials", type=int, default=100)
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--dimension", type=int, default=1280)
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


def _task(images: int, dimension: int) -> HeadTask:
    generator = np.random.default_rng(0)
    centres = generator.normal(0.0, 0.15, (_CLASSES, dimension))

    def draw(count: int) -> LabelledEmbeddings:
        classes = np.arange(count) % _CLASSES
        noise = generator.normal(0.0, 1.0, (count, dimension))
        return LabelledEmbeddings((centres[classes] + noise).astype(np.float32), classes)

    return HeadTask(draw(images), draw(_VALIDATION_IMAGES), _CLASSES)


def _source(
    number: int, trials: int, described: TaskDescription, generator: np.random.Generator
) -> PastSearch:
    """A history whose best learning rate and dropout lie elsewhere than the next one's."""
    values = tuple(sample(SPACE, generator) for _ in range(trials))
    rate, dropout = generator.normal(-2.5, 0.4), generator.uniform(0.1, 0.5)
    scores = [
        0.9
        - 0.1 * (np.log10(float(each["learning_rate"])) - rate) ** 2
        - 0.2 * (float(each["dropout"]) - dropout) ** 2
        + generator.normal(0.0, 0.01)
        for each in values
    ]
    other = described.model_copy(update={"data_fingerprint": f"source {number}"})
    return PastSearch(f"source {number}", values, np.array(scores), other)


def _train(trainer: HeadTrainer, values: Values, epochs: int) -> float:
    parameters = HeadParameters.from_values(dict(values))
    trained = trainer.train(parameters, epochs=epochs, patience=epochs, seed=1)
    return trained.evaluation.score


def _print(own: Watch, training: Watch, choosing: Watch, trials: int) -> None:
    for name, watch in (
        ("oracle: learn, propose, be told", own),
        ("training and validating", training),
        ("choosing a trial", choosing),
    ):
        print(
            f"{name}: {sum(watch.wall) / trials:.3f} s a trial,"
            f" {sum(watch.cpu) / trials:.3f} s of CPU; the longest call {max(watch.wall):.2f} s"
        )
    share = sum(own.wall) / sum(training.wall)
    cpu_share = sum(own.cpu) / sum(training.cpu)
    print(
        f"the oracle takes {share:.1%} of a trial's time, {cpu_share:.1%} by CPU;"
        f" reach: below {_REACH:.0%}"
    )


if __name__ == "__main__":
    main()
