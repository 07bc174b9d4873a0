"""Another domain, of which there are images without labels: does a run with `data.target` help?

    ./dev bench strategies/target --tasks ../shared/data/clothing ../shared/data/signdigits
    ./dev bench strategies/target --pairs SOURCE TARGET

A task is a folder of labelled images; the target is what `shifted` makes of its test images. A pair
are two folders with the same classes; of the second the labels are used to judge with alone. 480
images are learned from, 120 validate, 200 images of the target are seen without labels, and up to
400 others are judged. `always` keeps the head that learned from copies, `auto` is the product's
choice; gains are over what a run without the target exports. What was measured is kept in the cache
folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.quality.embedded import BACKBONE
from benchmarks.strategies.feature_matching import matched, recompute_batch_norm
from benchmarks.strategies.heads import accuracy, exported_head
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.shifted import FURTHER, SHIFTS, shifted
from benchmarks.strategies.tables import table
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import SourceFile
from components.example_gen.sources.listing import list_source, resolve
from models.backbones import build_backbone
from models.data.example_schema import TEST
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.image_look import find_likeness
from models.embedding.forward import BATCH_SIZE
from models.head.evidence import answers_of, compare
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.inference import compiled_forward
from models.training.strategies.strategy import Situation, Target
from models.training.strategies.target_look import TargetLook
from models.training.training_settings import TrainingSettings

_TRAINING, _VALIDATION = 480, 120
_SEEN, _JUDGED = 200, 400
_FEW_CLASSES = 3
_WHOLE_SHARE = 0.45
"""Of a folder without a test split, that is its test split."""

_WITHOUT, _ALWAYS = "without the target", "copies, always"
_ADAPTED = "BatchNorm recomputed (AdaBN)"

Pixels = NDArray[np.float32]
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Case:
    """A source and its target.

    Attributes:
        name: for the table.
        source: folder of labelled images.
        target: folder of the other domain; that of the source where it is made by a change.
        kind: of the change; empty for none.
        classes: that are in the target, the first ones; 0 for all.
    """

    name: str
    source: str
    target: str
    kind: str
    classes: int = 0


def main() -> None:
    """Prints a table in Markdown, a row for each source and target, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument(
        "--pairs", nargs=2, action="append", default=[], metavar=("SOURCE", "TARGET")
    )
    parser.add_argument("--kinds", nargs="*", default=[*SHIFTS, *FURTHER])
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="to begin a case in")
    parser.add_argument("--most", type=int, default=10**9, help="cases to measure; 0: only print")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/target"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept, begun = Kept(options.cache / "results.jsonl"), time.monotonic()
    embedder = _plain_embedder(options.size)
    found: list[tuple[Case, Figures]] = []
    measured = 0
    for seed in range(options.seeds):
        for case in _cases(options.tasks, options.pairs, options.kinds):
            key = f"{case.source} {case.target} {case.name} {options.size} {seed}"
            is_known = key in kept
            if not is_known and (
                measured == options.most or time.monotonic() - begun > options.seconds
            ):
                continue
            measured += not is_known
            found.append((case, kept.get(key, partial(_measure, case, embedder, seed))))
    print(_rows(found))
    print(_summary(found))


def _cases(
    tasks: Sequence[str], pairs: Sequence[Sequence[str]], kinds: Sequence[str]
) -> Iterator[Case]:
    for source, target in pairs:
        yield Case(f"{Path(source).name} → {Path(target).name}", source, target, "")
    for kind in kinds:
        for task in tasks:
            yield Case(f"{Path(task).name}, {kind}", task, task, kind)
    for kind in kinds:
        for task in tasks:
            name = f"{Path(task).name}, {kind}, {_FEW_CLASSES} classes alone"
            yield Case(name, task, task, kind, _FEW_CLASSES)


class _Embedder:
    """From pixels to features."""

    def __init__(self, size: int, seen: Pixels | None = None) -> None:
        """Builds the backbone, maybe with the statistics of images of the target."""
        self.spec = ImageSpec(size)
        backbone = build_backbone(BACKBONE, "imagenet", size, features="all")
        if seen is not None:
            recompute_batch_norm(backbone.model, seen)
        self._forward = compiled_forward(backbone.model)

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        whole = np.concatenate([pixels, np.zeros((-len(pixels) % BATCH_SIZE, *pixels.shape[1:]))])
        batches = whole.astype(np.float32).reshape(-1, BATCH_SIZE, *pixels.shape[1:])
        return np.concatenate([self._forward(each).numpy() for each in batches])[: len(pixels)]


def target_situations(data: Path, size: int) -> Iterator[Measurement]:
    """Each change of `SHIFTS`, of all classes and of the first three alone."""
    for case in _cases([str(data)], [], [*SHIFTS]):
        alone = f", {case.classes} classes alone" if case.classes else ""
        yield Measurement(f"target {case.kind}{alone}", partial(_accuracies, case, size))


@cache
def _plain_embedder(size: int) -> _Embedder:
    return _Embedder(size)


def _accuracies(case: Case, size: int, seed: int) -> Mapping[str, float]:
    drawn = _Drawn(case, _plain_embedder(size), seed)
    heads = drawn.heads()
    theirs = matched(drawn.task, drawn.linear, drawn.target.embeddings, drawn.judged.embeddings)
    theirs[_ADAPTED] = _Embedder(size, drawn.seen)(drawn.judged_pixels)
    by_features = {
        name: accuracy(drawn.linear.model, LabelledEmbeddings(features, drawn.judged.classes))
        for name, features in theirs.items()
    }
    return {
        _WITHOUT: accuracy(heads[_WITHOUT], drawn.judged),
        "linear head": accuracy(drawn.linear.model, drawn.judged),
        **by_features,
        _ALWAYS: accuracy(heads[_ALWAYS], drawn.judged),
        AUTO: accuracy(heads[AUTO], drawn.judged),
    }


class _Drawn:
    """The images of a case.

    Attributes:
        seen: pixels of the target, without labels.
        judged_pixels: others of it.
        judged: their features.
        task: features of the source.
        target: what is known of the target.
        linear: head of the source.
    """

    def __init__(self, case: Case, embedder: _Embedder, seed: int) -> None:
        """Draws and embeds them, and makes copies."""
        labels, source, _ = _files(case.source)
        others, _, target = _files(case.target)
        if labels != others:
            raise SystemExit(f"{case.name}: the folders have other classes: {labels}, {others}")
        generator = np.random.default_rng(seed)
        drawn = [source[row] for row in generator.permutation(len(source))]
        drawn = drawn[: _TRAINING + _VALIDATION]
        places = generator.permutation(len(target))
        present = labels[: case.classes or len(labels)]
        asked = [target[row] for row in places if target[row].label in present]
        seen = asked[: min(_SEEN, len(asked) // 2)]
        judged = asked[len(seen) :][:_JUDGED]
        ours = _pixels(drawn, "", embedder.spec)
        self.seen = _pixels(seen, case.kind, embedder.spec)
        self.judged_pixels = _pixels(judged, case.kind, embedder.spec)
        likeness = find_likeness(ours, self.seen)
        copies = likeness.applied(ours, generator)
        right, count = _classes(drawn, labels), len(labels)
        self.task, alike = (_task(embedder(each), right, count) for each in (ours, copies))
        self.target = Target(embedder(self.seen), alike, likeness)
        self.judged = LabelledEmbeddings(embedder(self.judged_pixels), _classes(judged, labels))
        self.linear = fit_frozen_head(self.task)
        self.situation = Situation(self.task, TrainingSettings(), target=self.target)

    def heads(self) -> dict[str, keras.Model]:
        """What is exported without the target, always and by the product's choice."""
        without = replace(self.situation, target=None)
        return {
            _WITHOUT: exported_head(self.linear, without),
            _ALWAYS: TargetLook().arm(self.situation).head,
            AUTO: exported_head(self.linear, self.situation),
        }


def _measure(case: Case, embedder: _Embedder, seed: int) -> Figures:
    """Accuracies of the heads, and what copies and validation images say of them."""
    drawn = _Drawn(case, embedder, seed)
    found = {name: accuracy(head, drawn.judged) for name, head in drawn.heads().items()}
    arm, linear = TargetLook().arm(drawn.situation), drawn.linear
    copies = drawn.target.copies.validation
    one, other = (
        answers_of(each.predict(copies.embeddings, verbose=0), copies.classes)
        for each in (arm.head, linear.model)
    )
    comparison = compare(one, other)
    found["foreseen"] = comparison.gain
    found["sure"] = comparison.confidence
    found["lost on copies"] = linear.answers.accuracy - other.accuracy
    found["won on copies"] = one.accuracy - other.accuracy
    found["source"] = arm.answers.accuracy - linear.answers.accuracy
    return found


def _files(folder: str) -> tuple[list[str], list[SourceFile], list[SourceFile]]:
    """Class names, and the images to learn from and to judge with."""
    files = list_source(resolve(folder)[-1].path, IngestSettings()).files
    order = np.random.default_rng(0).permutation(len(files))
    has_test = any(file.split == TEST for file in files)
    border = _WHOLE_SHARE * len(files)
    train: list[SourceFile] = []
    test: list[SourceFile] = []
    for place, row in enumerate(order):
        is_test = files[row].split == TEST if has_test else place < border
        (test if is_test else train).append(files[row])
    return sorted({file.label for file in files}), train, test


def _pixels(files: Sequence[SourceFile], kind: str, spec: ImageSpec) -> Pixels:
    encoded = [Path(file.path).read_bytes() for file in files]
    changed = [shifted(each, kind) if kind else each for each in encoded]
    return np.stack([decode_and_resize(tf.constant(each), spec).numpy() for each in changed])


def _classes(files: Sequence[SourceFile], labels: list[str]) -> NDArray[np.int64]:
    return np.array([labels.index(file.label) for file in files])


def _task(features: NDArray[np.float32], classes: NDArray[np.int64], count: int) -> HeadTask:
    border = round(len(classes) * _TRAINING / (_TRAINING + _VALIDATION))
    whole = LabelledEmbeddings(features, classes)
    return HeadTask(
        whole.rows(np.arange(border)), whole.rows(np.arange(border, len(classes))), count
    )


def _rows(found: Sequence[tuple[Case, Figures]]) -> str:
    lines = [
        "| source, target | without | always, points | auto, points | foreseen gain, sure | "
        "lost and won on copies | on source images |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(case.name for case, _ in found):
        draws = [figures for case, figures in found if case.name == name]
        mean = {key: float(np.mean([each[key] for each in draws])) for key in draws[0]}
        always, auto = (100 * (mean[key] - mean[_WITHOUT]) for key in (_ALWAYS, AUTO))
        lines.append(
            f"| {name} | {mean[_WITHOUT]:.3f} | {always:+.1f} | {auto:+.1f} | "
            f"{100 * mean['foreseen']:+.1f}, {mean['sure']:.2f} | "
            f"−{100 * mean['lost on copies']:.1f}, {100 * mean['won on copies']:+.1f} | "
            f"{100 * mean['source']:+.1f} |"
        )
    return "\n".join(lines)


def _summary(found: Sequence[tuple[Case, Figures]]) -> str:
    figures: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for case, each in found:
        group = "some classes alone" if case.classes else "all classes"
        kind = "pairs" if not case.kind else "same domain" if case.kind == "none" else "changed"
        rows = figures.setdefault(f"{kind}, {group}", {})
        for arm in (_WITHOUT, _ALWAYS, AUTO):
            rows.setdefault(arm, []).append((each[arm], each[arm] - each[_WITHOUT]))
    return table(figures)


if __name__ == "__main__":
    main()
