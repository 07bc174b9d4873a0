"""The files that `graft predict` is given: folders walked, each read with care."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.example_gen.sources.file_kinds import MAX_FILE_BYTES, is_hidden, is_meant_as_image
from models.data.normalisation import ImageRefusedError, Range, normalise
from models.data.sample_depth import SampleRangeNeededError

_DEEP = (
    "has more than 8 bits a channel, and is no PNG, which the served model reads itself; what is "
    "black and white in it the workspace of the model says: name it with --workspace"
)
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was named, or lies in a folder that was.

    Attributes:
        path: where it lies.
        error: what is wrong with it, in words that follow its name; empty for what may be an image.
        is_passed_over: whether it was never meant to be an image; then `error` is empty.
    """

    path: Path
    error: str = ""
    is_passed_over: bool = False


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that was to be read.

    Attributes:
        path: where it lies.
        encoded: a JPEG or PNG that the model decodes; empty where it is none.
        error: what is wrong with it, in words that follow its name; empty where it is one.
    """

    path: Path
    encoded: bytes = b""
    error: str = ""


def find(paths: Sequence[Path]) -> Iterator[Found]:
    """Lists files in the order given, those of a folder by name.

    A file that is named is taken for an image, whatever its name; in a folder, hidden ones and
    those that were never meant to be images are passed over, and so are links to folders.

    Args:
        paths: files and folders.

    Yields:
        As it goes, so that a folder may be of any size.
    """
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - does not raise
            yield from _walk(path)
        else:
            yield Found(path)


def read(path: Path, max_pixels: int, sample_range: Range = "stated") -> ImageFile:
    """Reads a file as ingest does; of several frames or pages the first.

    Args:
        path: of the file; a device, a pipe or a socket is not opened.
        max_pixels: images with more are refused.
        sample_range: of images of more than 8 bits a channel; see `Served`. Where it is unknown, a
            PNG stays as it is: the served model decodes it, by the range that it learned.
    """
    content = b""
    try:
        content = _content(path)
        image = normalise(content, max_pixels, sample_range, takes_first=True)
        return ImageFile(path, encoded=image.encoded)
    except SampleRangeNeededError:
        if content.startswith(_PNG):
            return ImageFile(path, encoded=content)
        return ImageFile(path, error=_DEEP)
    except OSError as error:
        return ImageFile(path, error=_unreadable(error))
    except ImageRefusedError as error:
        return ImageFile(path, error=f"is no image that can be classified: {error.reason}")


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"


def _content(path: Path) -> bytes:
    _refuse(path.stat())  # before opening it, which alone moves a tape or waits for a writer
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _refuse(os.fstat(descriptor))
        return file.read(MAX_FILE_BYTES)


def _refuse(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ImageRefusedError("not_a_file", "it is a device, a pipe or a socket")
    if status.st_size > MAX_FILE_BYTES:
        reason = f"{status.st_size:,} bytes are too many for an image"
        raise ImageRefusedError("too_large", reason)
    if not status.st_size:  # so are the files in /proc, which can hold anything
        raise ImageRefusedError("empty", "the file is empty")


def _walk(top: Path) -> Iterator[Found]:
    is_empty = True
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(folder, _unreadable(error))
            is_empty = False
            continue
        below = []
        for entry in inside:
            if _is_folder(entry):
                below.append(Path(entry.path))
                continue
            found = Found(Path(entry.path), is_passed_over=_is_beside(entry))
            is_empty = is_empty and found.is_passed_over
            yield found
        pending += reversed(below)
    if is_empty:
        yield Found(top, "has no image in it")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name)


def _is_beside(entry: os.DirEntry[str]) -> bool:
    leads_to_folder = entry.is_symlink() and os.path.isdir(entry.path)  # noqa: PTH112 - does not raise
    return is_hidden(entry.name) or leads_to_folder or not is_meant_as_image(entry)
