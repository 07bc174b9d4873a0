"""Where the activations of a training are kept, and how many views of each image fit there."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from models.backbones.cuts import Cut
from models.backbones.split_backbone import SplitBackbone
from models.embedding.forward import embedding_key
from models.training.activations import bytes_in
from models.training.training_task import TrainingTask

VIEWS: Final = 3
"""Cached views of an image, the unchanged one among them."""
_BYTES: Final = 2
"""Of a cached number."""


def cached_views(task: TrainingTask, values: int, further: int = 0) -> int:
    """How many views of each image fit into the cache; 0 where caching does not pay.

    Args:
        task: the training.
        values: numbers that are kept of one view.
        further: images beside those of the task.
    """
    wanted = VIEWS if task.settings.augment else 1
    validation = len(task.embeddings.validation.classes)
    fitting = int((_room(task) / (values * _BYTES) - validation) // (task.images + further))
    views = min(wanted, fitting)
    return views if views >= min(wanted, 2) else 0


def _room(task: TrainingTask) -> float:
    """Bytes that all activations together may take."""
    task.scratch.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(task.scratch).free
    if task.activations is not None:
        free += bytes_in(task.activations)
    # The disk is not Graft's alone.
    return min(task.settings.cache_gigabytes * 1e9, free / 2)


def own_activations(task: TrainingTask) -> Path:
    """Where they are of a training that shares them with no other."""
    return task.scratch / "activations"


def activations_folder(
    task: TrainingTask, split: SplitBackbone, cut: Cut, views: int, mirror: bool
) -> Path:
    """The folder for the activations; where not all of the shared ones fit, the others go."""
    if task.activations is None:
        return own_activations(task)
    backbone = embedding_key(task.backbone, task.spec)
    seen = repr((task.examples_uri, task.labels, task.left_out, task.seed))
    data = hashlib.sha256(seen.encode()).hexdigest()[:16]
    changes = f"{views}{'-mirrored' if mirror else ''}"
    own = task.activations / f"{backbone}-{data}-{cut.layer}-{changes}"
    others = [folder for folder in task.activations.glob("*") if folder != own]
    images = task.images * views + len(task.embeddings.validation.classes)
    if images * split.values * _BYTES + sum(map(bytes_in, others)) > _room(task):
        for folder in others:
            shutil.rmtree(folder)
    return own
