"""Another domain: what fine-tuning on copies that look like it adds to a head that learns there.

    ./dev bench strategies/tuned_on_copies --tasks ../shared/data/clothing --kinds grey blur none
    ./dev bench strategies/tuned_on_copies --pairs SOURCE TARGET

Cases are those of `strategies/adversarial`. All arms are the product's training with `data.target`:
the head that it chooses; the first fine-tuning, which sees the source alone; of these two the one
that answers copies of validation images better; and all of it, which may fine-tune anew on copies.
What was measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import keras
import numpy as np

from benchmarks.search.small_task import SmallTask, write_examples
from benchmarks.strategies import adversarial
from benchmarks.strategies.drawn_domains import (
    Case,
    DrawnDomains,
    cases,
    drawn_domains,
    pixels_of,
    written,
)
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.shifted import SHIFTS
from benchmarks.strategies.tables import table
from benchmarks.strategies.top_tuning import prepared_backbone
from models.data.example_schema import UNLABELLED
from models.data.image_decoding import ImageSpec
from models.head.evidence import answers_of, compare
from models.training.fine_tuned_copies import NAME
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation
from models.training.target_copies import answers_to_copies, find_target
from models.training.top_trainer import TopTrainer
from models.training.train import train, train_head
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask, with_head

_HEAD: Final = "head, frozen backbone"
_SOURCE: Final = "fine-tuned on the source"
_BETTER: Final = "the better of both on copies"
_WHOLE: Final = "with fine-tuning on copies"

_IMAGES: Final = 25
_JUDGED_EPOCHS: Final = 10

Figures = Mapping[str, float]


def main() -> None:
    """Prints a table in Markdown of groups of cases, and one of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], type=Path, help="labelled images")
    parser.add_argument("--kinds", nargs="*", default=[*SHIFTS])
    parser.add_argument(
        "--pairs", nargs=2, action="append", default=[], type=Path, metavar=("SOURCE", "TARGET")
    )
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=_IMAGES, help="to train on, of each class")
    parser.add_argument("--seeds", type=int, default=1, help="draws")
    parser.add_argument("--seconds", type=float, default=1e9, help="to begin a case in")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept, begun = Kept(options.cache / "tuned_on_copies.jsonl"), time.monotonic()
    found: dict[str, list[Figures]] = {}
    for seed in range(options.seeds):
        for case in cases(options.tasks, options.kinds, options.pairs):
            key = f"{case.source} {case.target} {case} {options.size} {options.images} {seed}"
            if key not in kept and time.monotonic() - begun > options.seconds:
                continue
            measured = kept.get(key, partial(_measured, case, options.size, options.images, seed))
            for row in (case.group, str(case)):
                found.setdefault(row, []).append(measured)
    print(_table(found))


def target_fine_tuned(data: Path, size: int) -> Iterator[Measurement]:
    """Each change of `SHIFTS`; beside the product's arms those against a judge of domains."""
    for case in cases([data], [*SHIFTS], []):
        name = f"fine-tuned, target {case.kind}"
        yield Measurement(name, partial(_accuracies, case, size))


def _accuracies(case: Case, size: int, seed: int) -> Figures:
    found = _measured(case, size, _IMAGES, seed)
    against_judge = adversarial.measured(case, size, _IMAGES, _JUDGED_EPOCHS, seed)
    return {
        **{name: found[name] for name in (_SOURCE, _HEAD, _BETTER)},
        **{
            name: figures["accuracy"]
            for name, figures in against_judge.items()
            if name.startswith(adversarial.DANN)
        },
        AUTO: found[_WHOLE],
    }


def _measured(case: Case, size: int, images: int, seed: int) -> Figures:
    """Accuracy of each arm on the target, whether the last was kept, and seconds of all."""
    drawn = drawn_domains(case, images, seed)
    keras.utils.set_random_seed(seed)
    with TemporaryDirectory() as folder:
        task = _task(drawn, size, Path(folder), seed)
        pixels = pixels_of(drawn.judged, drawn.kind, task.spec)
        truth = np.array([drawn.labels.index(file.label) for file in drawn.judged])

        def right(model: keras.Model) -> float:
            answers = model.predict(pixels, verbose=0).argmax(axis=1)
            return float((answers == truth).mean())

        start = task.backbone.model.get_weights()
        began = time.process_time()
        trained = train(task)
        seconds = time.process_time() - began
        found = {_WHOLE: right(trained.model)}
        second = [each.kept for each in trained.record.strategies if each.name == NAME]
        task.backbone.model.set_weights(start)
        # The first fine-tuning is taken up at its end, from the folder of the training.
        return {**_without(task, right), **found, "kept": float(any(second)), "seconds": seconds}


def _without(task: TrainingTask, right: Callable[[keras.Model], float]) -> Figures:
    """The arms that fine-tune on no copies."""
    frozen, _ = train_head(task)
    target = find_target(task)
    assert target is not None
    situation = Situation(task.embeddings, task.settings, target=target)
    head = choose_head(frozen.model, frozen.answers, situation)
    found = {_HEAD: right(with_head(task.backbone.model, head.model))}
    copies = target.copies.validation
    of_head = answers_of(head.model.predict(copies.embeddings, verbose=0), copies.classes)
    fine_tuned = TopTrainer(task, frozen.model, "float32").train(task)
    classifier = with_head(task.backbone.model, frozen.model)
    found[_SOURCE] = right(classifier)
    one, other = fine_tuned.answers, head.answers
    if head.is_for_target:
        one, other = answers_to_copies(task, target, classifier), of_head
    is_better = compare(one, other).gain > 0.0
    return {**found, _BETTER: found[_SOURCE if is_better else _HEAD]}


def _task(drawn: DrawnDomains, size: int, folder: Path, seed: int) -> TrainingTask:
    settings = TrainingSettings(strategy="fine_tune")
    seen = written(
        pixels_of(drawn.seen, drawn.kind, ImageSpec(size)), [""] * len(drawn.seen), folder / "seen"
    )
    write_examples(folder / "target", {UNLABELLED: seen})
    small = SmallTask(drawn.labels, drawn.train, drawn.validation)
    prepared = prepared_backbone(small, folder, size, settings, seed)
    task = prepared.training(settings, folder / "training")
    return replace(task, target_uri=str(folder / "target"))


def _table(found: Mapping[str, Sequence[Figures]]) -> str:
    arms = (_BETTER, _WHOLE, _HEAD, _SOURCE)
    figures = {
        f"{case} ({sum(each['kept'] for each in draws):.0f} of {len(draws)} kept)": {
            arm: [(each[arm], each[arm] - each[_BETTER]) for each in draws] for arm in arms
        }
        for case, draws in sorted(found.items(), key=lambda row: not row[0].startswith("all "))
    }
    return table(figures)


if __name__ == "__main__":
    main()
