"""How long is it worth to wait for a better epoch of a fine-tuning?

The usual configuration is fine-tuned for all epochs, and answers the test images after each epoch
that was the best so far by the validation images. So it is known what waiting for so many epochs
would have exported, and after how many epochs it would have ended. Each training is kept in
`--cache`: the same command goes on after a stop.

    ./dev bench quality/patience --data ../shared/data/signdigits --images 50 --size 224
"""

import argparse
import json
from collections.abc import Sequence
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
from models.training.training_task import with_head

_WAITS: Final = (1, 2, 3, 5, 8, 10, 15)

Epochs = list[tuple[float, float]]
"""Score by the validation images and test accuracy of each epoch; the latter is that of the best
epoch so far."""


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
    trained: dict[str, list[Epochs]] = {}
    for folder in options.data:
        for seed in range(options.seeds):
            trained.setdefault(folder.name, []).append(_kept(folder, seed, options))
    print("| | " + " | ".join(f"{each} epochs" for each in _WAITS) + " | all |")
    print("|---" * (len(_WAITS) + 2) + "|")
    for name, runs in trained.items():
        ends = [[_ended(run, wait) for run in runs] for wait in (*_WAITS, options.epochs)]
        cells = [f"{np.mean([test for _, test in end]):.3f}" for end in ends]
        spent = [f"{np.mean([epochs for epochs, _ in end]):.0f}" for end in ends]
        print(f"| {name}, test accuracy | " + " | ".join(cells) + " |")
        print(f"| {name}, epochs | " + " | ".join(spent) + " |")


def _ended(epochs: Epochs, wait: int) -> tuple[int, float]:
    """Epochs until none was better for so many, and the test accuracy of the best."""
    best = 0
    for number, (score, _) in enumerate(epochs):
        if score > epochs[best][0]:
            best = number
        if number - best >= wait:
            return number + 1, epochs[best][1]
    return len(epochs), epochs[best][1]


def _kept(folder: Path, seed: int, options: argparse.Namespace) -> Epochs:
    task = draw_task(folder, seed, images_a_class=options.images)
    name = f"{task.name}-{task.digest}-{options.size}-{options.epochs}-{seed}.json"
    path: Path = options.cache / name
    if path.exists():
        kept: Epochs = json.loads(path.read_bytes())
        return kept
    with TemporaryDirectory() as scratch:
        epochs = _train(task, seed, options, Path(scratch))
    write_atomically(path, json.dumps(epochs).encode())
    return epochs


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
    scores: Sequence[float] = ()
    for stop in range(1, options.epochs + 1):
        scores = trainer.train(made, mirror=mirror, pause_after=stop).scores
        if scores[-1] > max(scores[:-1], default=-np.inf):
            model = with_head(prepared.backbone.model, prepared.head.model)
            test = judge(model, prepared.spec, situation, Clock(0.0), "", {}).accuracy
        epochs.append((scores[-1], test))
        print(f"{task.name}, epoch {stop}: {scores[-1]:.4f}, test {test:.4f}", flush=True)
    return epochs


if __name__ == "__main__":
    main()
