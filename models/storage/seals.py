"""Digests that tell whether what was written is still there, unchanged.

A disk, a copy or a hand may change a file without anybody noticing. What Graft keeps from run to
run is read again only where its digest is still that of the day on which it was written.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.storage.atomic_write import write_atomically

EXTRA: Final = "assets.extra"
"""Folder of a SavedModel for what its server need not know."""
DESCRIPTION: Final = f"{EXTRA}/graft.json"
"""Beside a SavedModel: where it comes from."""
SUMS: Final = f"{EXTRA}/SHA256SUMS"
"""In an exported model: the digest of each other file, as `sha256sum -c` reads them."""
_CHUNK: Final = 1 << 20
_MARK: Final = b"\nsha256 "
_SEAL_BYTES: Final = len(_MARK) + 64 + 1


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hex.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def tree_digest(directory: Path) -> str:
    """SHA-256 over the names and the bytes of all files in a folder and below it, hex.

    Raises:
        OSError: the folder is missing, or a file cannot be read.
    """
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is no folder")
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        name = path.relative_to(directory).as_posix().encode("utf-8", "surrogateescape")
        digest.update(name + b"\0" + str(path.stat().st_size).encode() + b"\0")
        for chunk in _chunks(path):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def write_sealed(path: Path, content: bytes) -> None:
    """Writes a file in one step, with its digest as a last line.

    Args:
        path: the file.
        content: what `read_sealed` gives back.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is then untouched.
    """
    write_atomically(path, content + _seal(hashlib.sha256(content).hexdigest()))


def read_sealed(path: Path) -> bytes | None:
    """What `write_sealed` wrote; None where the file is absent, unreadable or not what it was."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content, seal = whole[:-_SEAL_BYTES], whole[-_SEAL_BYTES:]
    return content if seal == _seal(hashlib.sha256(content).hexdigest()) else None


def _seal(digest: str) -> bytes:
    return _MARK + digest.encode() + b"\n"


def is_sealed(path: Path) -> bool:
    """Whether `read_sealed` would read a file, without holding all of it in memory."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            left = path.stat().st_size - _SEAL_BYTES
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
            return file.read() == _seal(digest.hexdigest())
    except OSError:
        return False


def write_sums(directory: Path) -> None:
    """Lists the digests of all files of an exported model in a file beside them.

    Raises:
        OSError: a file cannot be read or written.
    """
    write_atomically(directory / SUMS, _sums(directory).encode())


def read_sums(directory: Path) -> dict[str, str]:
    """The digest of each file of an exported model, by its name, as `write_sums` listed them.

    Raises:
        OSError: there is no such list, or it cannot be read.
    """
    lines = (directory / SUMS).read_text("utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def changed_file(directory: Path) -> str | None:
    """Which file of an exported model is not as it was exported.

    Returns:
        The name of one that was changed, is missing or is too many; None where all is as it was.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        listed = set((directory / SUMS).read_bytes().decode("utf-8", "replace").splitlines())
    except FileNotFoundError:
        return SUMS
    wrong = listed ^ set(_sums(directory).splitlines())
    return min((line.partition("  ")[2] or SUMS for line in wrong), default=None)


def _sums(directory: Path) -> str:
    names = (
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    )
    return "".join(
        f"{file_digest(directory / name)}  {name}\n" for name in sorted(names) if name != SUMS
    )
