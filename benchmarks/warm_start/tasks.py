"""Tasks of the benchmark: embeddings of training, validation and test images with their classes.

A folder makes one task as it is, and further ones on request (`VARIANTS`): fewer images, half of
the classes, grey, blurred or noisy images. Tasks of one folder are one group and never serve each
other as sources.

Everything is kept in the cache by content. Embeddings lie in a store by image, so a killed run
goes on where it was; a finished task is one `.npz`, which a worker process reads without TensorFlow
or TFX. Its arrays are `<split>_embeddings` (float32 [n, d]) and `<split>_classes` (int64 [n]) for
train, validation and test, `classes` and `description` (JSON).
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.warm_start import images
from benchmarks.warm_start.images import Change, ImageFile, Picture
from models import progress
from models.data.example_schema import SPLITS, TEST, TRAIN, VALIDATION
from models.embedding.cache import EmbeddingStore
from models.errors import BadDataError
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, fingerprint
from models.head.task_description import Origin, describe
from models.history.records import TaskDescription
from models.storage.atomic_write import write_atomically

if TYPE_CHECKING:
    from models.embedding.forward import Embedder

_VERSION = 1
"""Changes when the same images would make other tasks."""
_CHUNK = 256
"""Images that a kill may lose."""
_LOOKED_AT = 20
"""Images that tell whether a data set has colour."""


@dataclass(frozen=True)
class Variant:
    """How a task is derived from a folder.

    Attributes:
        suffix: of the task's name; empty for the folder as it is.
        change: made to every image; None for none.
        share: of the training images that are kept. Validation keeps all of its images: with a
            few dozen, which configuration is chosen would be chance, whatever the method.
        class_share: of the classes that are kept.
    """

    suffix: str
    change: Change | None = None
    share: float = 1.0
    class_share: float = 1.0


FULL = "full"
VARIANTS: dict[str, Variant] = {
    FULL: Variant(""),
    "few": Variant("few", share=0.2),
    "classes": Variant("classes", class_share=0.5),
    "grey": Variant("grey", images.grey, share=0.5),
    "small": Variant("small", images.low_resolution, share=0.7),
    "noisy": Variant("noisy", images.noisy, share=0.3),
}


@dataclass(frozen=True)
class Limits:
    """Most images of each split, chosen in proportion to the classes.

    Attributes:
        train: images; a trial's time grows with them.
        validation: images.
        test: images.
    """

    train: int = 1000
    validation: int = 400
    test: int = 1000


@dataclass(frozen=True)
class Extractor:
    """The backbone that embeds.

    Attributes:
        backbone: name.
        weights: "imagenet", "none" or a path.
        image_size: side in pixels.
    """

    backbone: str = "EfficientNetLite0"
    weights: str = "imagenet"
    image_size: int = 128


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: unique in one benchmark.
        group: tasks of the same group never serve each other as sources.
        data: training and validation embeddings.
        test: embeddings that only score what a search has chosen.
        description: what a search knows of the task before its first trial.
    """

    name: str
    group: str
    data: HeadTask
    test: LabelledEmbeddings
    description: TaskDescription

    @property
    def key(self) -> str:
        """32 hex digits that change with the images, the labels, the split or the backbone."""
        described = self.description
        parts = [described.data_fingerprint, described.weights_digest, described.image_size]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class TaskFile:
    """A task in the cache.

    Attributes:
        name: of the task.
        group: of the task.
        variant: of its folder; a name in `VARIANTS`.
        path: of its `.npz`.
    """

    name: str
    group: str
    variant: str
    path: Path

    def read(self) -> Task:
        """Reads the task."""
        with np.load(self.path, allow_pickle=False) as arrays:
            splits = {
                split: LabelledEmbeddings(arrays[f"{split}_embeddings"], arrays[f"{split}_classes"])
                for split in SPLITS
            }
            return Task(
                name=self.name,
                group=self.group,
                data=HeadTask(splits[TRAIN], splits[VALIDATION], int(arrays["classes"])),
                test=splits[TEST],
                description=TaskDescription.model_validate_json(str(arrays["description"])),
            )


Files = dict[str, list[ImageFile]]
"""By split."""
Splits = dict[str, LabelledEmbeddings]
"""By name."""


def prepare_tasks(
    folder: Path,
    name: str,
    group: str,
    variants: Sequence[str],
    *,
    extractor: Extractor,
    limits: Limits,
    cache: Path,
    seed: int = 0,
) -> list[TaskFile]:
    """Makes the tasks of one folder, or finds them in the cache.

    Args:
        folder: of a data set.
        name: first part of the tasks' names.
        group: of the tasks.
        variants: names in `VARIANTS`.
        extractor: embeds.
        limits: of the splits.
        cache: folder for embeddings and tasks.
        seed: of splits and choices.

    Returns:
        The tasks. A variant that changes nothing (grey images made grey, too few classes to halve)
        makes none.

    Raises:
        BadDataError: the folder holds nothing to learn from.
        UsageError: there is no such backbone.
    """
    files = _limit(images.list_images(folder, cache / "digests", seed), limits, seed)
    tasks = []
    for variant_name in variants:
        variant = VARIANTS[variant_name]
        chosen = _derive(files, variant, seed)
        if not _makes_a_difference(variant, chosen, files):
            continue
        path = cache / "tasks" / f"{_key(chosen, variant, extractor)}.npz"
        if not path.exists():
            _write(path, *_embed(chosen, variant, extractor, cache))
        title = f"{name}-{variant.suffix}" if variant.suffix else name
        tasks.append(TaskFile(title, group, variant_name, path))
    return tasks


def _limit(files: Files, limits: Limits, seed: int) -> Files:
    most = {TRAIN: limits.train, VALIDATION: limits.validation, TEST: limits.test}
    return {split: _sample(members, most[split], seed) for split, members in files.items()}


def _sample(files: Sequence[ImageFile], count: int, seed: int) -> list[ImageFile]:
    positions = images.proportional([file.label for file in files], count, seed)
    return [files[position] for position in positions]


def _derive(files: Files, variant: Variant, seed: int) -> Files:
    labels = sorted({file.label for file in files[TRAIN]})
    count = max(2, round(variant.class_share * len(labels)))
    kept = set(np.random.default_rng(seed).permutation(labels)[:count].tolist())
    chosen = {
        split: [file for file in members if file.label in kept] for split, members in files.items()
    }
    count = max(1, round(variant.share * len(chosen[TRAIN])))
    chosen[TRAIN] = _sample(chosen[TRAIN], count, seed)
    return chosen


def _makes_a_difference(variant: Variant, chosen: Files, files: Files) -> bool:
    if variant.change is images.grey:
        few = chosen[TRAIN][:: max(1, len(chosen[TRAIN]) // _LOOKED_AT)]
        return not all(images.is_grey(each.encoded) for each in images.read_pictures(few, None))
    return not variant.suffix or variant.change is not None or chosen != files


def _key(files: Files, variant: Variant, extractor: Extractor) -> str:
    rows = {split: [(file.sha256, file.label) for file in files[split]] for split in SPLITS}
    parts = [_VERSION, variant.suffix, asdict(extractor), rows]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _embed(
    files: Files, variant: Variant, extractor: Extractor, cache: Path
) -> tuple[Splits, int, TaskDescription]:
    """Reads and embeds the images; takes about 10 s a thousand on one core."""
    from models.backbones import build_backbone
    from models.data.image_decoding import ImageSpec
    from models.embedding.forward import Embedder, embedding_key

    pictures = {split: images.read_pictures(files[split], variant.change) for split in SPLITS}
    backbone = build_backbone(extractor.backbone, extractor.weights, extractor.image_size)
    spec = ImageSpec(extractor.image_size)
    store = EmbeddingStore(cache / "embeddings", embedding_key(backbone, spec), backbone.dimension)
    _fill(store, [each for split in SPLITS for each in pictures[split]], Embedder(backbone, spec))
    labels = sorted({picture.label for picture in pictures[TRAIN]})
    splits = {split: _labelled(pictures[split], labels, store) for split in SPLITS}
    task = HeadTask(splits[TRAIN], splits[VALIDATION], len(labels))
    if not len(splits[TEST].classes):
        raise BadDataError("There is no test image of a known class; nothing can be scored.")
    origin = Origin(
        backbone.name,
        extractor.weights,
        backbone.weights_digest,
        extractor.image_size,
        fingerprint(
            {
                split: ([one.digest for one in members], [one.label for one in members])
                for split, members in pictures.items()
            }
        ),
    )
    return splits, len(labels), describe(task, origin)


def _fill(store: EmbeddingStore, pictures: Sequence[Picture], embedder: "Embedder") -> None:
    encoded = {picture.digest: picture.encoded for picture in pictures}
    missing = store.missing(encoded)
    for start in range(0, len(missing), _CHUNK):
        digests = missing[start : start + _CHUNK]
        store.add(digests, embedder.embed([encoded[digest] for digest in digests]))
        progress.report(start + len(digests), len(missing), "images")


def _labelled(
    pictures: Sequence[Picture], labels: list[str], store: EmbeddingStore
) -> LabelledEmbeddings:
    indices = {label: index for index, label in enumerate(labels)}
    classes = np.array([indices.get(picture.label, -1) for picture in pictures], np.int64)
    embeddings = store.get([picture.digest for picture in pictures])
    return LabelledEmbeddings(embeddings, classes).known()


def _write(path: Path, splits: Splits, classes: int, description: TaskDescription) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "classes": np.array(classes),
        "description": np.array(description.model_dump_json()),
    }
    for split, content in splits.items():
        arrays[f"{split}_embeddings"] = content.embeddings
        arrays[f"{split}_classes"] = content.classes
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomically(path, buffer.getvalue())
