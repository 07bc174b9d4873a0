"""How long is it worth to wait for a better epoch of a fine-tuning?

The usual configuration is fine-tuned for all epochs, and answers the test images after each epoch
that was the best so far by the validation images. So it is known what waiting for so many epochs
would have exported, and after how many epochs it would have ended; and likewise for what ends a
training once its images are learned: a loss below a share of that of a guess, and so many epochs
that promise so few points more than all before. Each training is kept in `--cache`: the same
command goes on after a stop.

    ./dev bench quality/patience --data ../shared/data/signdigits --images 50 --size 224
"""

import argparse
import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import keras
import numpy as np

from benchmarks.search.live.drawn_task import DrawnTask, draw_task, write_task
from benchmarks.search.live.judging import judge
from benchmarks.search.live.situation import Clock, Situation
from models.search.prepared_backbone import PreparedBackbone
from models.storage.atomic_write import write_atomically
from models.training.training_settings import TrainingSettings
from models.training.training_state import LEARNED, LEAST_GAIN, last_gain
from models.training.training_task import with_head

_WAITS: Final = (1, 2, 3, 5, 8, 10, 15)
_LEARNED: Final = (0.003, LEARNED, 0.02)
_GAINS: Final = (0.001, 0.002, LEAST_GAIN)
_LASTS: Final = (3, 4, TrainingSettings().waits_at_last)

Epochs = list[tuple[float, float, float]]
"""Score by the validation images, test accuracy and training loss of each epoch; the accuracy is
that of the best epoch so far."""


@dataclass(frozen=True)
class Rule:
    """When a training ends.

    Attributes:
        wait: epochs without a better one.
        learned: training loss from which on the images are learned.
        last: epochs that then have to gain something.
        gain: of the expected accuracy.
    """

    wait: int
    learned: float = 0.0
    last: int = 1
    gain: float = 0.0

    def ended(self, epochs: Epochs) -> tuple[int, float]:
        """Epochs until it ends a training, and the test accuracy of the best of these."""
        best = 0
        for number, (score, _, loss) in enumerate(epochs, start=1):
            if score > epochs[best][0]:
                best = number - 1
            gained = last_gain([each for each, _, _ in epochs[:number]], self.last)
            if number - best > self.wait or (loss < self.learned and gained < self.gain):
                return number, epochs[best][1]
        return len(epochs), epochs[best][1]


@dataclass(frozen=True)
class Kept:
    """A training that was kept.

    Attributes:
        wait: epochs that the product waits.
        chance: loss of a guess.
        epochs: what each showed.
    """

    wait: int
    chance: float
    epochs: Epochs

    def ends(self) -> dict[str, tuple[int, float]]:
        """By the name of a rule, how many epochs it trains and what it has in the end."""
        rules = {f"waits {wait}": Rule(wait) for wait in _WAITS}
        rules["waits 100 steps"] = Rule(self.wait)
        for learned, last, gain in itertools.product(_LEARNED, _LASTS, _GAINS):
            name = f"loss {100 * learned:g} %, {last} epochs, {100 * gain:g} points"
            rules[name] = Rule(self.wait, learned * self.chance, last, gain)
        return {name: rule.ended(self.epochs) for name, rule in rules.items()}


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--images", type=int, default=50, help="a class, to train and validate on")
    parser.add_argument("--size", type=int, default=160, help="side in pixels")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality/patience"))
    options = parser.parse_args()
    ends: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for seed in range(options.seeds):
        for folder in options.data:
            for rule, end in _kept(folder, seed, options).ends().items():
                ends.setdefault(rule, {}).setdefault(folder.name, []).append(end)
    names = [folder.name for folder in options.data]
    print("| ends by | " + " | ".join(names) + " | mean |")
    print("|---" * (len(names) + 2) + "|")
    for rule, found in ends.items():
        means = np.array([np.mean(found[name], axis=0) for name in names])
        cells = [f"{test:.3f} ({epochs:.0f})" for epochs, test in (*means, means.mean(axis=0))]
        print(f"| {rule} | " + " | ".join(cells) + " |")


def _kept(folder: Path, seed: int, options: argparse.Namespace) -> Kept:
    task = draw_task(folder, seed, images_a_class=options.images)
    name = f"{task.name}-{task.digest}-{options.size}-{options.epochs}-{seed}-losses.json"
    path: Path = options.cache / name
    if not path.exists():
        with TemporaryDirectory() as scratch:
            epochs = _train(task, seed, options, Path(scratch))
        write_atomically(path, json.dumps(epochs).encode())
    waits = TrainingSettings().waits(len(task.files.train))
    return Kept(waits, math.log(len(task.files.labels)), json.loads(path.read_bytes()))


def _train(task: DrawnTask, seed: int, options: argparse.Namespace, scratch: Path) -> Epochs:
    write_task(task, scratch / "task")
    situation = Situation(
        examples_uri=str(scratch / "task/examples"),
        images=scratch / "task/images",
        labels=task.files.labels,
        seed=seed,
        seconds=0.0,
        scratch=scratch,
    )
    training = TrainingSettings(epochs=options.epochs, patience=options.epochs)
    searched = situation.task(training=training)
    candidate = searched.candidates[0].model_copy(update={"image_size": options.size})
    prepared = PreparedBackbone(searched, candidate, scratch / "activations")
    (scratch / "training").mkdir()
    made = prepared.training(training, scratch / "training")
    keras.utils.set_random_seed(seed)
    mirror, trainer = prepared.mirror(made), prepared.trainer(made)
    epochs: Epochs = []
    for stop in range(1, options.epochs + 1):
        done = trainer.train(made, mirror=mirror, pause_after=stop)
        scores = done.scores
        if scores[-1] > max(scores[:-1], default=-np.inf):
            model = with_head(prepared.backbone.model, prepared.head.model)
            test = judge(model, prepared.spec, situation, Clock(0.0), "", {}).accuracy
        loss = done.phase.epochs[-1]["loss"]
        epochs.append((scores[-1], test, math.inf if loss is None else loss))
        print(f"{task.name}, epoch {stop}: {scores[-1]:.4f}, test {test:.4f}", flush=True)
    return epochs


if __name__ == "__main__":
    main()
