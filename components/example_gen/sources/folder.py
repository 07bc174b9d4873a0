"""A folder with a folder per class, or with `train/`, `validation/`, `test/` above the classes.

Files lie at any depth below their class. Links are followed, each real folder once a class.
Hidden entries (a leading dot) and `__MACOSX` are passed over; every other file is listed, and
what is no image ends in quarantine.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from components.example_gen.settings import IngestSettings
from components.example_gen.sources.entries import (
    LeftOut,
    Listing,
    SourceFile,
    Stamp,
    canonical_label,
    canonical_split,
    printable,
    stamp_of,
)
from models import features
from models.errors import BadDataError

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Larger files are refused unread: no image to learn from is that large."""

LAYOUT = (
    "expected a folder per class with images in it, such as cats/1.jpg and dogs/2.jpg,"
    " or train/, validation/ and test/ with the class folders in them"
)


def list_folder(root: str, settings: IngestSettings) -> Listing:
    """Lists the images of a folder.

    Args:
        root: an existing folder.
        settings: what is passed over.

    Returns:
        Its files, sorted by name.

    Raises:
        BadDataError: it has no class folders, or a split of its own without a training part.
    """
    folders, loose = _children(root)
    left_out = [
        LeftOut(printable(entry.name), "no_class", "it lies outside every class folder")
        for entry in loose
    ]
    if not folders:
        raise BadDataError(f"{root} has no class folders; {LAYOUT}.")
    files: list[SourceFile] = []
    if _has_own_split(folders):
        for folder in folders:
            split = canonical_split(folder.name)
            if split is None:
                reason = "beside train/ and test/ it is no split, and was left out"
                left_out.append(LeftOut(f"{printable(folder.name)}/", "not_a_split", reason))
            else:
                _list_split(root, folder, split, files, left_out)
    else:
        _refuse_split_without_training(root, folders)
        for folder in folders:
            _list_class(root, folder, None, files, left_out)
    return Listing(
        "folder", root, tuple(sorted(files, key=lambda file: file.name)), tuple(sorted(left_out))
    )


def inspect(file: os.DirEntry[str] | Path, name: str) -> Stamp | LeftOut:
    """Returns a file's stamp, or why it is not worth reading."""
    try:
        status = file.stat()
    except OSError as error:
        return LeftOut(name, "unreadable", error.strerror or str(error))
    if not stat.S_ISREG(status.st_mode):
        return LeftOut(name, "not_a_file", "it is a device, a pipe or a socket")
    if status.st_size > MAX_FILE_BYTES:
        return LeftOut(name, "too_large", f"{status.st_size:,} bytes are too many for an image")
    return stamp_of(status)


def visible_entries(folder: str) -> list[os.DirEntry[str]]:
    """Entries of a folder without the hidden ones, sorted by name.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        kept = [e for e in entries if not e.name.startswith(".") and e.name != "__MACOSX"]
    return sorted(kept, key=lambda entry: entry.name)


def _children(root: str) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    folders: list[os.DirEntry[str]] = []
    loose: list[os.DirEntry[str]] = []
    for entry in visible_entries(root):
        (folders if is_folder(entry) else loose).append(entry)
    return folders, loose


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that points at itself
        return False


def _has_own_split(folders: list[os.DirEntry[str]]) -> bool:
    """A training folder that holds folders and no files; a class named "train" holds files."""
    for folder in folders:
        if canonical_split(folder.name) == features.TRAIN:
            try:
                inner, loose = _children(folder.path)
            except OSError:
                return False
            return bool(inner) and len(loose) <= len(inner)
    return False


def _refuse_split_without_training(root: str, folders: list[os.DirEntry[str]]) -> None:
    if all(canonical_split(folder.name) for folder in folders):
        names = ", ".join(printable(folder.name) + "/" for folder in folders)
        raise BadDataError(
            f"{root} holds {names} but no train/ with class folders in it; {LAYOUT}."
        )


def _list_split(
    root: str,
    folder: os.DirEntry[str],
    split: str,
    files: list[SourceFile],
    left_out: list[LeftOut],
) -> None:
    classes, loose = _children(folder.path)
    if not classes:  # competitions hand out a test set without labels
        reason = f"it has no class folders; its {len(loose)} files were left out"
        left_out.append(LeftOut(f"{printable(folder.name)}/", "no_class", reason))
        return
    for entry in loose:
        name = printable(f"{folder.name}/{entry.name}")
        left_out.append(LeftOut(name, "no_class", "it lies outside every class folder"))
    for entry in classes:
        _list_class(root, entry, split, files, left_out)


def _list_class(
    root: str,
    folder: os.DirEntry[str],
    split: str | None,
    files: list[SourceFile],
    left_out: list[LeftOut],
) -> None:
    label = canonical_label(folder.name)
    if not label:
        name = printable(folder.path[len(root.rstrip("/")) + 1 :]) + "/"
        left_out.append(LeftOut(name, "no_label", "the class folder's name is blank"))
        return
    above = len(root.rstrip("/")) + 1
    found = len(files) + len(left_out)
    for entry, problem in _walk(folder):
        name = printable(entry.path[above:])
        outcome = LeftOut(name, *problem) if problem else inspect(entry, name)
        if isinstance(outcome, LeftOut):
            left_out.append(outcome)
        else:
            files.append(SourceFile(entry.path, name, label, split, outcome))
    if len(files) + len(left_out) == found:
        name = printable(folder.path[above:]) + "/"
        left_out.append(LeftOut(name, "empty_class", "there is no image in this class folder"))


def _walk(top: os.DirEntry[str]) -> Iterator[tuple[os.DirEntry[str], tuple[str, str] | None]]:
    """Yields all files below `top`, and the folders that are not entered, with the reason.

    A link to a folder that holds `top` would make one class of all the others: it is not entered.
    """
    pending = [top]
    holding = Path(top.path).parent.resolve()
    seen = {_identity(folder.stat()) for folder in (holding, *holding.parents)}
    while pending:
        folder = pending.pop()
        try:
            identity = _identity(folder.stat())
            if identity in seen:
                reason = "this link leads to a folder that holds it, or that was read already"
                yield folder, ("symlink_loop", reason)
                continue
            seen.add(identity)
            entries = visible_entries(folder.path)
        except OSError as error:
            yield folder, ("unreadable", error.strerror or str(error))
            continue
        for entry in entries:
            if is_folder(entry):
                pending.append(entry)
            else:
                yield entry, None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
