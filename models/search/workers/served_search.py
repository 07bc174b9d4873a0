"""What a worker needs to know of a search, in the search's folder.

`served.json` and `served.npz` lie there while the search is served, and no longer; beside them is
the `trials` folder of `models.search.trial_store`, which all share.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import UsageError
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.history.records import Positive, SearchDescription
from models.history.search_space import Text
from models.storage.atomic_write import write_atomically
from models.storage.seals import read_sealed, write_sealed

TRIALS: Final = "trials"
"""Folder of the finished trials."""

_DESCRIPTION = "served.json"
_TASK = "served.npz"


class ServedSearch(BaseModel):
    """How to take part in a search.

    Attributes:
        mark: of the one process that serves; it refuses who comes with another one.
        address: `HOST:PORT` that it serves at.
        code: digest of the training code, which must be the worker's own.
        classes: of the task.
        search: epochs, patience, seed and class weights of each training.
        folds: of the task, at least; see `models.search.folds.FoldTrainers`.
    """

    model_config = ConfigDict(frozen=True)

    mark: Text
    address: Text
    code: Text
    classes: Positive
    search: SearchDescription
    folds: Positive = 1


def write_served(folder: Path, served: ServedSearch, task: HeadTask) -> None:
    """Writes both files, the description last, each in one step.

    Args:
        folder: of the search.
        served: how to take part.
        task: what heads are trained on.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    arrays = {
        "train": task.train.embeddings,
        "train_classes": task.train.classes,
        "validation": task.validation.embeddings,
        "validation_classes": task.validation.classes,
    }
    if task.train.groups is not None:
        arrays["train_groups"] = task.train.groups
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_sealed(folder / _TASK, content.getvalue())
    write_atomically(folder / _DESCRIPTION, served.model_dump_json().encode())


def remove_served(folder: Path) -> None:
    """Says that the search is served no longer."""
    for name in (_DESCRIPTION, _TASK):
        (folder / name).unlink(missing_ok=True)


def is_served(folder: Path, served: ServedSearch) -> bool:
    """Whether a search is still the one that the folder tells of."""
    try:
        return read_served(folder) == served
    except UsageError:
        return False


def read_served(folder: Path) -> ServedSearch:
    """Reads the description.

    Raises:
        UsageError: no search is served there, or one of another Graft.
    """
    path = folder / _DESCRIPTION
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"No search is served in {folder} ({error.strerror}). Expected the folder that a run "
            "with tuning.serve names when its search begins; it has ended, or has not begun."
        ) from None
    try:
        return ServedSearch.model_validate_json(content, strict=True)
    except ValidationError:
        raise UsageError(
            f"{path} cannot be read: it is damaged, or of another Graft. Workers need the same "
            "Graft as the run."
        ) from None


def read_task(folder: Path, served: ServedSearch) -> HeadTask:
    """Reads what heads are trained on.

    Raises:
        UsageError: it cannot be read.
        BadDataError: it holds no image to train or to validate on.
    """
    path = folder / _TASK
    content = read_sealed(path)
    if content is None:
        raise UsageError(f"{path} cannot be read: it is missing, damaged or of another Graft.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            train = LabelledEmbeddings(
                data["train"], data["train_classes"], data.get("train_groups")
            )
            validation = LabelledEmbeddings(data["validation"], data["validation_classes"])
    except (ValueError, KeyError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return HeadTask(train, validation, served.classes)
