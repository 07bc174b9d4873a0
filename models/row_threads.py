"""Work on many rows, a block for each thread at a time.

Threads of OpenBLAS that are done wait for the others without letting go of their core, which costs
many times what they compute where something else runs (`models.blas_threads`). These sleep. What
the blocks are, and in which order their results come, does not go by the number of cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from models.blas_threads import one_thread
from models.row_blocks import ROWS

Result = TypeVar("Result")


class EachBlock(Protocol):
    """Gives what a function makes of each block of rows, in their order."""

    def __call__(self, work: Callable[[slice], Result], /) -> Iterable[Result]:
        """Calls the function with the places of a block's rows."""


@contextmanager
def each_block(rows: NDArray[Any]) -> Iterator[EachBlock]:
    """Threads for work on blocks of a thousand rows, until it is over.

    Args:
        rows: [n, …]; few of them take no threads.
    """
    blocks = [slice(at, at + ROWS) for at in range(0, len(rows), ROWS)]
    cores = min(len(os.sched_getaffinity(0)), len(blocks))
    with one_thread():
        if cores < 2:
            yield lambda work: map(work, blocks)
            return
        with ThreadPoolExecutor(cores) as pool:
            yield lambda work: pool.map(work, blocks)
