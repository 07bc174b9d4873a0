"""Is a backbone that was fine-tuned on a related set a better start than ImageNet's?

    ./dev bench strategies/progressive --tasks ../shared/data/clothing --pairs mnist digits

Each folder of `--tasks` is parted into two halves of its classes, which are related by making: one
is the source, the other the target. `--pairs` names folders, always two: source and target. The
backbone is fine-tuned on many images of the source, as the product does; then a head, and in the
first draws a fine-tuning too, learn the target from few images, from ImageNet's weights ("direct")
and from the source's ("chain"). "Head" is the one that the product exports, "exported" the better
of it and the fine-tuned model by validation; "better by validation" takes the start whose linear
head promises more on the validation images, "by cross-validation" on all labelled ones. What was
measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np

from benchmarks.search.small_task import LabelledFile, SmallTask, split_files, write_examples
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.tables import table
from models.backbone_choice.backbone_choice import Candidate
from models.data.example_schema import TEST, TRAIN, VALIDATION
from models.embedding.extraction import embed_splits
from models.head.embedded_task import labelled
from models.head.evidence import Answers, answers_of, compare
from models.head.labelled_embeddings import LabelledEmbeddings
from models.head.out_of_fold import FoldedHeads
from models.head.refit import refitted
from models.search.negative_transfer import choose_weights
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask
from models.training.device import FULL_PRECISION
from models.training.strategies.choice import ChosenHead, choose_head
from models.training.strategies.strategy import Situation
from models.training.top_trainer import TopTrainer
from models.training.training_settings import TrainingSettings

_BACKBONE: Final = "EfficientNetLite0"
_IMAGENET: Final = "imagenet"
_MANY, _HELD, _TEST, _CLASSES = 100, 20, 60, 100
"""Images of a class of a source to train and to validate on; of one to judge on; most classes."""
_VALIDATION: Final = 0.15
_IMAGES: Final = (20, 50)
_EPOCHS: Final = 10

Found = Mapping[str, Any]
Rows = dict[str, list[tuple[float, float]]]
"""Of each arm, the accuracies and the gains over the direct one."""


@dataclass(frozen=True)
class Part:
    """A folder, or a half of its classes.

    Attributes:
        data: the folder.
        half: 0 or 1, the classes with even or with odd places; None for all.
    """

    data: Path
    half: int | None = None

    def __str__(self) -> str:
        return self.data.name if self.half is None else f"{self.data.name}, half {self.half + 1}"

    def drawn(self, train: int, validation: int, seed: int) -> SmallTask:
        """Draws so many images of each class to train and to validate on."""
        classes = len(split_files(self.data, 1, 0, _CLASSES).labels)
        held, test = validation * classes, _TEST * classes
        task = split_files(self.data, train, held, _CLASSES, test=test, seed=seed)
        if self.half is None:
            return task
        labels = task.labels[self.half :: 2]

        def own(files: tuple[LabelledFile, ...]) -> tuple[LabelledFile, ...]:
            return tuple(each for each in files if each.label in labels)

        return SmallTask(labels, own(task.train), own(task.validation), own(task.test))


@dataclass(frozen=True)
class Start:
    """Measures what a start comes to on a target.

    Attributes:
        weights: "imagenet", or the file of a backbone.
        size: side in pixels.
        epochs: at most.
        cache: folder that keeps embeddings.
        seed: of the draws and the trainings.
    """

    weights: str
    size: int
    epochs: int
    cache: Path
    seed: int = 0

    def measured(self, target: Part, images: int, *, tuned: bool) -> Found:
        """Test accuracies of the heads, or of the fine-tuning that begins from the linear one."""
        held = max(1, round(_VALIDATION * images))
        task = target.drawn(images - held, held, self.seed)
        with TemporaryDirectory() as scratch:
            training = Training(self, task, Path(scratch))
            return training.tuned() if tuned else training.heads()

    def write_backbone(self, source: Part, file: Path) -> Found:
        """Fine-tunes on many images of a source, and writes the backbone's weights."""
        task = source.drawn(_MANY, _HELD, self.seed)
        with TemporaryDirectory() as scratch:
            training = Training(self, task, Path(scratch))
            found = training.tuned()
            partial_file = file.with_name(f"partial-{file.name}")
            training.prepared.backbone.trunk.save_weights(partial_file)
            partial_file.rename(file)
        return found


class Training:
    """Heads and a fine-tuning on one task, from one start."""

    def __init__(self, start: Start, task: SmallTask, scratch: Path) -> None:
        """Writes the examples and builds the backbone."""
        examples = scratch / "examples"
        write_examples(examples, {TRAIN: task.train, VALIDATION: task.validation, TEST: task.test})
        candidate = Candidate(backbone=_BACKBONE, weights=start.weights, image_size=start.size)
        self._searched = SearchTask(
            examples_uri=str(examples),
            labels=task.labels,
            candidates=(candidate,),
            resize="stretch",
            features="all",
            training=TrainingSettings(epochs=start.epochs),
            seed=start.seed,
            embeddings=str(start.cache / "embeddings"),
            activations=str(scratch / "activations"),
        )
        self._scratch = scratch
        self.prepared = PreparedBackbone(self._searched, candidate, scratch / "activations")

    def heads(self) -> Found:
        """Accuracies of the linear head and of the exported one, and what speaks for the start."""
        frozen, chosen, embeddings = self.prepared.head, self._chosen(), self.prepared.embeddings
        model = chosen.model
        if model is frozen.model:
            model = refitted(frozen, embeddings, self._searched.training.weighting)
        test = self._test(self._searched.embeddings)
        known = embeddings.labelled
        folded = FoldedHeads(known, embeddings.classes).probabilities()
        return {
            "linear head": _accuracy(frozen.model, test),
            "head": _accuracy(model, test),
            "validation": _told(frozen.answers),
            "cross-validation": _told(answers_of(np.log(folded + 1e-9), known.classes)),
        }

    def tuned(self) -> Found:
        """Accuracy, and whether it is exported; afterwards the backbone is the fine-tuned one."""
        chosen, frozen = self._chosen(), self.prepared.head
        task = self.prepared.training(self._searched.training, self._scratch / "training")
        keras.utils.set_random_seed(task.seed)
        top = TopTrainer(task, frozen.model, FULL_PRECISION).train(task)
        shutil.rmtree(task.scratch, ignore_errors=True)
        changed = replace(self.prepared.backbone, weights_digest=f"of {self._scratch}")
        self.prepared.backbone = changed
        accuracy = _accuracy(frozen.model, self._test(str(self._scratch / "embeddings")))
        kept = compare(top.answers, chosen.answers).gain > 0.0
        return {"fine-tuned": accuracy, "kept": kept}

    def _chosen(self) -> ChosenHead:
        frozen = self.prepared.head
        situation = Situation(self.prepared.embeddings, self._searched.training)
        return choose_head(frozen.model, frozen.answers, situation)

    def _test(self, store: str) -> LabelledEmbeddings:
        backbone, spec = self.prepared.backbone, self.prepared.spec
        splits = embed_splits(self._searched.examples_uri, (TEST,), backbone, spec, store)
        return labelled(splits[TEST], self._searched.labels)


def main() -> None:
    """Prints two tables in Markdown, of heads and of what is exported."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], type=Path, help="folders to be halved")
    parser.add_argument("--pairs", nargs="*", default=[], type=Path, help="SOURCE TARGET …")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=_IMAGES, help="of a class")
    parser.add_argument("--epochs", type=int, default=_EPOCHS, help="at most")
    parser.add_argument("--seeds", type=int, default=5, help="draws")
    parser.add_argument("--tuned", type=int, default=1, help="draws with fine-tuning too")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    if len(arguments.pairs) % 2:
        parser.error("--pairs: expected two folders for each pair, source and target")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(arguments.cache / "progressive.jsonl")
    base = Start(_IMAGENET, arguments.size, arguments.epochs, arguments.cache)
    heads: dict[str, Rows] = defaultdict(lambda: defaultdict(list))
    exported: dict[str, Rows] = defaultdict(lambda: defaultdict(list))
    pairs = list(_parts(arguments.tasks, arguments.pairs))
    for seed, (source, target), images in product(range(arguments.seeds), pairs, arguments.images):
        weights = _weights(base, source, kept)
        pair = Pair(kept, replace(base, seed=seed), weights, source, target, images)
        _add_heads(heads[str(pair)], pair.found(tuned=False))
    for seed, (source, target), images in product(range(arguments.tuned), pairs, arguments.images):
        weights = _weights(base, source, kept)
        pair = Pair(kept, replace(base, seed=seed), weights, source, target, images)
        _add_exported(exported[str(pair)], pair.found(tuned=False), pair.found(tuned=True))
    print(table(heads), *(["", table(exported)] if exported else []), sep="\n")


def related_first(data: Path, size: int, cache: Path) -> Iterator[Measurement]:
    """One half of the classes first, then few images of the other half (`model.chain`)."""
    kept = Kept(cache / "progressive.jsonl")
    base = Start(_IMAGENET, size, _EPOCHS, cache)
    for images in _IMAGES:
        name = f"fine-tuned, {images} images a class, a related task first"
        yield Measurement(name, partial(_accuracies, kept, base, data, images))


def _accuracies(kept: Kept, base: Start, data: Path, images: int, seed: int) -> Found:
    source, target = Part(data, 0), Part(data, 1)
    weights = _weights(base, source, kept)
    pair = Pair(kept, replace(base, seed=seed), weights, source, target, images)
    found, trained = pair.found(tuned=False), pair.found(tuned=True)
    best = _exported(found, trained)
    chain, direct = (
        Candidate(backbone=_BACKBONE, weights=each, image_size=base.size)
        for each in (weights, _IMAGENET)
    )
    answers = {
        each: answers_told(found[name]["validation"])
        for name, each in (("chain", chain), ("direct", direct))
    }
    chosen, _ = choose_weights(chain, answers)
    return {
        "direct": best["direct"],
        **{f"{name}, head": found[name]["head"] for name in found},
        **{f"{name}, fine-tuned": trained[name]["fine-tuned"] for name in found},
        "chain": best["chain"],
        AUTO: best["chain" if chosen == chain else "direct"],
    }


@dataclass(frozen=True)
class Pair:
    """One draw of a target, and its two starts.

    Attributes:
        kept: what was measured.
        base: the direct start.
        weights: file of the source's backbone.
        source: of the chain.
        target: to learn.
        images: of a class.
    """

    kept: Kept
    base: Start
    weights: str
    source: Part
    target: Part
    images: int

    def __str__(self) -> str:
        return f"{self.source} → {self.target}, {self.images} images a class"

    def found(self, *, tuned: bool) -> dict[str, Found]:
        """What the direct start and the chain come to."""
        base = self.base
        what = f"fine-tuned {base.epochs}" if tuned else "heads"
        found = {}
        for name, begun, start in (
            ("direct", _IMAGENET, base),
            ("chain", str(self.source), replace(base, weights=self.weights)),
        ):
            key = f"{begun} > {self.target} {base.size} {self.images} {base.seed} {what}"
            key = f"{self.source.data} {self.target.data} {key}"
            measure = partial(start.measured, self.target, self.images, tuned=tuned)
            found[name] = self.kept.get(key, measure)
        return found


def _parts(tasks: list[Path], pairs: list[Path]) -> Iterator[tuple[Part, Part]]:
    for data in tasks:
        yield Part(data, 0), Part(data, 1)
    for source, target in zip(pairs[::2], pairs[1::2], strict=True):
        yield Part(source), Part(target)


def _weights(base: Start, source: Part, kept: Kept) -> str:
    """The file of a source's backbone, which is fine-tuned where there is none."""
    place = hashlib.sha256(str(source.data).encode()).hexdigest()[:8]
    name = f"{source} {place} {base.size} {base.epochs}"
    file = base.cache / f"{name}.weights.h5"
    if not file.exists():
        kept.get(f"source {name}", partial(base.write_backbone, source, file))
    return str(file)


def _add_heads(rows: Rows, found: Mapping[str, Found]) -> None:
    for kind in ("linear head", "head"):
        for name in found:
            _add(rows, f"{name}, {kind}", found[name][kind], found["direct"][kind])
    for judge in ("validation", "cross-validation"):
        chosen = found["chain" if _is_better(found, judge) else "direct"]["head"]
        _add(rows, f"better by {judge}, head", chosen, found["direct"]["head"])


def _add_exported(rows: Rows, found: Mapping[str, Found], trained: Mapping[str, Found]) -> None:
    best = _exported(found, trained)
    for name in found:
        _add(rows, f"{name}, fine-tuned", trained[name]["fine-tuned"], best["direct"])
        _add(rows, f"{name}, exported", best[name], best["direct"])
    for judge in ("validation", "cross-validation"):
        chosen = best["chain" if _is_better(found, judge) else "direct"]
        _add(rows, f"better by {judge}, exported", chosen, best["direct"])


def _exported(found: Mapping[str, Found], trained: Mapping[str, Found]) -> dict[str, float]:
    return {
        name: trained[name]["fine-tuned"] if trained[name]["kept"] else found[name]["head"]
        for name in found
    }


def _add(rows: Rows, arm: str, accuracy: float, direct: float) -> None:
    rows[arm].append((accuracy, accuracy - direct))


def _is_better(found: Mapping[str, Found], judge: str) -> bool:
    chain, direct = (answers_told(found[name][judge]) for name in ("chain", "direct"))
    return compare(chain, direct).gain > 0.0


def _accuracy(head: keras.Model, test: LabelledEmbeddings) -> float:
    logits = head.predict(test.embeddings, batch_size=1024, verbose=0)
    return float((logits.argmax(axis=1) == test.classes).mean())


def _told(answers: Answers) -> Found:
    losses = np.round(answers.losses, 4).tolist()
    return {"right": answers.right.astype(int).tolist(), "losses": losses}


def answers_told(told: Found) -> Answers:
    """Answers as they were before they were kept."""
    return Answers(np.array(told["right"], bool), np.array(told["losses"]))


if __name__ == "__main__":
    main()
