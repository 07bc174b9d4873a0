"""Arrays of features that lie in a file and are mapped, so that they need not fit into memory.

They are written as any file is and mapped when they are whole: to write through a mapping on a full
disk would kill the process.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

_FITS: Final = 64 << 20
"""Bytes that are not worth a file."""


def write_rows(path: Path, blocks: Iterable[NDArray[np.float32]], shape: tuple[int, int]) -> None:
    """Writes a `.npy` file of which no more than a block is in memory.

    Whoever has mapped an earlier file of that name keeps it.

    Args:
        path: the file.
        blocks: float32 [m, d] each, n rows in all.
        shape: n and d.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    header = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": shape}
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        _append(file, blocks)
    part.replace(path)


def read_rows(path: Path) -> NDArray[np.float32]:
    """What `write_rows` wrote, mapped.

    Raises:
        FileNotFoundError: there is no such file.
    """
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(mapped)


def scratch_rows(
    blocks: Iterable[NDArray[np.float32]], shape: tuple[int, int], folder: Path
) -> NDArray[np.float32]:
    """An array that is gone from the disk as soon as nobody holds it; a small one is in memory.

    Args:
        blocks: float32 [m, d] each, n rows in all.
        shape: n and d.
        folder: for the file.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    if shape[0] * shape[1] * np.dtype(np.float32).itemsize <= _FITS:
        return np.concatenate([np.zeros((0, shape[1]), np.float32), *blocks])
    with tempfile.TemporaryFile(dir=folder) as file:
        _append(file, blocks)
        return np.asarray(np.memmap(file, np.float32, "r", shape=shape))


def _append(file: IO[bytes], blocks: Iterable[NDArray[np.float32]]) -> None:
    for block in blocks:
        file.write(np.ascontiguousarray(block, np.float32).data)
    file.flush()
