"""Image files, so many at a time as a request and the memory hold."""

import stat
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import UsageError
from serving.client.answers import Answer
from serving.client.errors import PredictionError, RequestRefusedError

_BATCH: Final = 32
_BATCH_BYTES: Final = 32 * 2**20
_MOST_FILE_BYTES: Final = 64 * 2**20

Told = tuple[Path, Answer | PredictionError]
"""A file, and what was answered or why nothing was."""
AskEach = Callable[[Sequence[bytes]], Awaitable[list[Answer | RequestRefusedError]]]


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that was read.

    Attributes:
        path: where it lies.
        encoded: its bytes; empty where it could not be read.
        error: why not.
    """

    path: Path
    encoded: bytes = b""
    error: PredictionError | None = None


def batches(paths: Iterable[Path | str]) -> Iterator[list[ImageFile]]:
    """Reads files as they are asked for, at most 32 and little more than 32 MiB at a time.

    Raises:
        UsageError: a path without a list around it, whose letters would be taken for paths.
    """
    if isinstance(paths, str | Path):
        raise UsageError(f"Expected a list of paths, such as [{str(paths)!r}]; got one path.")
    batch: list[ImageFile] = []
    size = 0
    for path in paths:
        batch.append(_read(Path(path)))
        size += len(batch[-1].encoded)
        if len(batch) == _BATCH or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def ask_about(batch: Sequence[ImageFile], ask_each: AskEach) -> list[Told]:
    """Asks about the files that could be read.

    Args:
        batch: files, in the order of the answers.
        ask_each: gives for each image the answer, or why there is none.
    """
    answers = iter(await ask_each([file.encoded for file in batch if file.error is None]))
    return [(file.path, file.error or next(answers)) for file in batch]


def _read(path: Path) -> ImageFile:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PredictionError(f"{path} is no file.")
        if status.st_size > _MOST_FILE_BYTES:
            raise PredictionError(f"{path} has {status.st_size:,} bytes, too many for an image.")
        return ImageFile(path, path.read_bytes())
    except OSError as error:
        words = f"{path} cannot be read: {error.strerror}."
        return ImageFile(path, error=PredictionError(words))
    except PredictionError as error:
        return ImageFile(path, error=error)
