"""Two domains with the same classes: what is learned from, seen without labels, and judged.

Cases are those of `strategies/target`: a folder and a change of its test images, or two folders.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.search.small_task import LabelledFile, first_of_each, split_files
from benchmarks.strategies.shifted import FURTHER as OTHER_KINDS, SHIFTS, shifted
from benchmarks.strategies.top_tuning import Floats
from models.data.image_decoding import ImageSpec, decode_and_resize

_VALIDATION, _SEEN, _JUDGED, _CLASSES = 120, 200, 400, 20

Files = tuple[LabelledFile, ...]


@dataclass(frozen=True)
class Case:
    """A source and its target.

    Attributes:
        source: folder of labelled images.
        target: folder of the other domain, with the same classes.
        kind: of the change that makes the other domain; empty for none.
    """

    source: Path
    target: Path
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.source.name}, {self.kind}" if self.kind else self._names

    @property
    def _names(self) -> str:
        return f"{self.source.name} → {self.target.name}"

    @property
    def group(self) -> str:
        """Under which it is counted."""
        return {"": "all pairs", "none": "all of the same domain"}.get(self.kind, "all changes")


@dataclass(frozen=True)
class DrawnDomains:
    """The images of a case.

    Attributes:
        labels: of both domains.
        train: of the source.
        validation: of the source.
        seen: of the target, without labels.
        judged: of the target.
        kind: of the change of the last two.
    """

    labels: tuple[str, ...]
    train: Files
    validation: Files
    seen: Files
    judged: Files
    kind: str


def drawn_domains(case: Case, images: int, seed: int) -> DrawnDomains:
    """Draws the images of a case, so many of each class to train on."""
    if case.kind:
        # The classes are counted first, as more images of each are drawn for the target.
        each = _SEEN // len(split_files(case.source, 1, 0, _CLASSES).labels)
        whole = split_files(
            case.source, images + each, _VALIDATION, _CLASSES, test=_JUDGED, seed=seed
        )
        train, seen = first_of_each(whole.train, images)
        return DrawnDomains(whole.labels, train, whole.validation, seen, whole.test, case.kind)
    ours = split_files(case.source, images, _VALIDATION, _CLASSES, seed=seed)
    each = _SEEN // len(ours.labels)
    theirs = split_files(case.target, each, 0, _CLASSES, test=_JUDGED, seed=seed)
    if ours.labels != theirs.labels:
        raise SystemExit(f"{case}: expected folders with the same classes, found others.")
    return DrawnDomains(ours.labels, ours.train, ours.validation, theirs.train, theirs.test, "none")


def pixels_of(files: Files, kind: str, spec: ImageSpec) -> Floats:
    """Changed and decoded, float32 [n, s, s, 3]."""
    encoded = (shifted(file.path.read_bytes(), kind) for file in files)
    return np.stack([decode_and_resize(tf.constant(each), spec).numpy() for each in encoded])


def written(pixels: Floats, labels: Sequence[str], folder: Path) -> Files:
    """Writes pixels as PNGs."""
    folder.mkdir()
    files = []
    for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        path = folder / f"{number:05}.png"
        Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8)).save(path)
        files.append(LabelledFile(label, path))
    return tuple(files)


def cases(
    tasks: Sequence[Path], kinds: Sequence[str], pairs: Sequence[tuple[Path, Path]]
) -> Iterator[Case]:
    """Each kind of change of each folder, then the pairs."""
    for kind in kinds:
        if kind not in SHIFTS | OTHER_KINDS:
            raise SystemExit(f"--kinds: {kind!r} is none of {', '.join(SHIFTS | OTHER_KINDS)}.")
        for task in tasks:
            yield Case(task, task, kind)
    for source, target in pairs:
        yield Case(source, target)
