"""Other divisions of a task's images, to evaluate one configuration more than once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.head.head_trainer import HeadTrainer
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings

_MOST_PARTS = 10
"""Parts of the training split; a smaller share than a tenth makes noisy scores."""


@dataclass(frozen=True)
class Folds:
    """A task's training images, dealt into parts with the classes' shares kept.

    In fold i, part i is validated on, and the other parts together with the task's own validation
    images are trained on. No image is validated on twice, and none that the search validated on:
    the scores of a search's best trials are too good by the luck that made them best, and only
    other images can tell luck from merit.
    """

    task: HeadTask
    parts: NDArray[np.integer]
    """Number of the part of each training image, int [n]."""

    def __len__(self) -> int:
        """Number of folds."""
        return int(self.parts.max()) + 1

    def __getitem__(self, fold: int) -> HeadTask:
        """The task of one fold, from 0."""
        train, validation = self.task.train, self.task.validation
        held_out = self.parts == fold
        return HeadTask(
            train=LabelledEmbeddings(
                np.concatenate([train.embeddings[~held_out], validation.embeddings]),
                np.concatenate([train.classes[~held_out], validation.classes]),
            ),
            validation=LabelledEmbeddings(train.embeddings[held_out], train.classes[held_out]),
            classes=self.task.classes,
        )


def deal_folds(task: HeadTask, count: int, seed: int) -> Folds:
    """Deals the training images into parts of about the size of the validation split.

    Images of one group come into one part.

    Args:
        task: to divide anew.
        count: folds that are needed, at least 1; there may be more, and fewer where there are
            fewer images.
        seed: of the deal.
    """
    images = len(task.train.classes)
    alike = round(images / len(task.validation.classes))
    parts = min(max(count, 2, min(alike, _MOST_PARTS)), images)
    if task.train.groups is not None:
        fewer = min(parts, len(np.unique(task.train.groups)))
        return Folds(task, _deal_groups(task.train.groups, task, fewer, seed))
    shuffled = np.random.default_rng([seed, images]).permutation(images)
    by_class = shuffled[np.argsort(task.train.classes[shuffled], kind="stable")]
    dealt = np.empty(images, np.int64)
    dealt[by_class] = np.arange(images) % parts
    return Folds(task, dealt)


def _deal_groups(
    groups: NDArray[np.integer], task: HeadTask, parts: int, seed: int
) -> NDArray[np.integer]:
    """Number of the part of each training image.

    The largest groups are dealt first, each to the part that holds the fewest of its classes.
    """
    names, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((parts, task.classes), np.int64)
    part_of = np.empty(len(names), np.int64)
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    order = order[np.argsort(-np.bincount(members)[order], kind="stable")]
    by_group = np.argsort(members, kind="stable")
    rows = np.split(by_group, np.cumsum(np.bincount(members))[:-1])
    for group in order:
        classes, own = np.unique(task.train.classes[rows[group]], return_counts=True)
        held = counts[:, classes] @ own
        part = np.lexsort((counts.sum(axis=1), held))[0]
        counts[part, classes] += own
        part_of[group] = part
    return part_of[members]


class FoldTrainers:
    """Trainers for the folds of a task."""

    def __init__(self, trainer: HeadTrainer, count: int, seed: int) -> None:
        """Deals the folds.

        Args:
            trainer: of the whole task.
            count: folds that are needed, at least 1.
            seed: of the deal.
        """
        self._trainer = trainer
        self._folds = deal_folds(trainer.task, count, seed)
        self._ready: tuple[int, HeadTrainer] | None = None

    def __len__(self) -> int:
        """Folds that there are."""
        return len(self._folds)

    def __getitem__(self, fold: int | None) -> HeadTrainer:
        """The trainer of a fold, from 0, or of the whole task."""
        if fold is None:
            return self._trainer
        # One at a time: each holds a copy of the embeddings.
        if self._ready is None or self._ready[0] != fold:
            self._ready = fold, self._trainer.on(self._folds[fold])
        return self._ready[1]
