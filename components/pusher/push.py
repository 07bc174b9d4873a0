"""Copies a model into the serving directory so that a version is whole or absent.

The copy goes to a hidden folder beside the versions, which no server looks at, is written through
to the disk, and is then renamed to the next number: one step, which a kill cannot halve. What a
killed push left behind is removed by the next one.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import GraftError
from models.storage.folders import copy_folder
from models.storage.seals import DESCRIPTION, EXTRA, changed_file, tree_digest, write_sums

_UNFINISHED: Final = ".push-"


@dataclass(frozen=True)
class Push:
    """Result of a push.

    Attributes:
        version: number that the model has in the serving directory.
        path: its directory.
        new: whether it was copied now; False if the newest version was this model already.
        digest: of its files.
    """

    version: int
    path: Path
    new: bool
    digest: str


def push_model(
    source: Path,
    directory: Path,
    proved: str = "",
    companions: Sequence[Path] = (),
    card: Mapping[str, bytes] | None = None,
) -> Push:
    """Makes `source` the newest version in `directory`.

    Args:
        source: a SavedModel.
        directory: the serving directory; it is made if it is missing.
        proved: `models.storage.seals.tree_digest` of what was proved to serve; what has another one
            is not pushed. Empty to push whatever `source` is.
        companions: files that go with the model, into `assets.extra`.
        card: name to content of further such files, which say what the model is.

    Returns:
        The version. If the newest one is this model, and has such files too where some are given,
        and the same card, that one, and nothing is written.

    Raises:
        GraftError: the model is not the proved one, the directory cannot be written, or the disk
            is full; no version is added.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _held(directory) as alone:
            if alone:
                _remove_leftovers(directory)
            return _push(source, directory, proved, companions, card or {})
    except OSError as error:
        raise GraftError(
            f"The model could not be pushed to {directory}: {error.strerror or error}."
            " No version was added there. Make room or give the right to write, or choose another"
            " folder (serving.directory), and run again; what is done is kept."
        ) from error


def pushed_versions(directory: Path) -> dict[int, Path]:
    """Versions in a serving directory, by number; none where it is missing."""
    if not directory.is_dir():
        return {}
    return {int(path.name): path for path in directory.iterdir() if path.name.isdecimal()}


def _push(
    source: Path,
    directory: Path,
    proved: str,
    companions: Sequence[Path],
    card: Mapping[str, bytes],
) -> Push:
    _check_proved(source, tree_digest(source), proved)
    present = pushed_versions(directory)
    newest = max(present, default=0)
    if newest and _is_this_push(present[newest], source, companions, card):
        return Push(newest, present[newest], new=False, digest=tree_digest(present[newest]))
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=directory))
    try:
        whole = unfinished / source.name
        copy_folder(source, whole)
        _write_through(whole)
        digest = tree_digest(whole)
        _check_proved(source, digest, proved)
        if companions or card:
            # Only now: what was proved is the model as it was before.
            _add(whole, companions, card)
            digest = tree_digest(whole)
        version, path = _rename_to_next(whole, directory, newest + 1)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _sync(directory)
    return Push(version, path, new=True, digest=digest)


def _add(whole: Path, companions: Sequence[Path], card: Mapping[str, bytes]) -> None:
    (whole / EXTRA).mkdir(exist_ok=True)
    for file in companions:
        shutil.copyfile(file, whole / EXTRA / file.name)
    for name, content in card.items():
        (whole / EXTRA / name).write_bytes(content)
    write_sums(whole)
    _write_through(whole)


def _is_this_push(
    version: Path, source: Path, companions: Sequence[Path], card: Mapping[str, bytes]
) -> bool:
    has_all = all((version / EXTRA / file.name).exists() for file in companions)
    has_card = all(_holds(version / EXTRA / name, content) for name, content in card.items())
    return has_all and has_card and _is_this_model(version, source)


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _check_proved(source: Path, digest: str, proved: str) -> None:
    if proved and digest != proved:
        raise GraftError(
            f"The model in {source} is damaged: it is not the one that was judged and proved to "
            "serve. It was not pushed. The same command makes it again."
        )


def _rename_to_next(whole: Path, directory: Path, version: int) -> tuple[int, Path]:
    """Takes the first free number; another machine may have pushed meanwhile."""
    while True:
        path = directory / str(version)
        if not path.exists():
            try:
                return version, whole.rename(path)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
        version += 1


@contextlib.contextmanager
def _held(directory: Path) -> Iterator[bool]:
    """Keeps other pushes out; yields False on a file system that cannot lock a directory."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _remove_leftovers(directory: Path) -> None:
    for path in directory.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)


def _is_this_model(version: Path, source: Path) -> bool:
    """Whether a version that is whole holds the model of `source`.

    Two exports of one model differ in the names of their functions; what they are is in their
    description, with the digest of the weights.
    """
    if tree_digest(version) == tree_digest(source):
        return True
    try:
        described = (version / DESCRIPTION).read_bytes()
        is_same = described == (source / DESCRIPTION).read_bytes()
    except FileNotFoundError:
        return False
    return is_same and b'"model_digest"' in described and changed_file(version) is None


def _write_through(directory: Path) -> None:
    for path in directory.rglob("*"):
        _sync(path)
    _sync(directory)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
