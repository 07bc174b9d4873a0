"""How many threads the products of a fit take.

OpenBLAS parts each product among all cores, and threads that are done wait for the others without
letting go of their core. Of small products, and beside other work, that costs many times what they
take in one thread: fitting the heads of the label check to 3,000 images took 30 seconds of
processor time in the place of 2, on two busy cores.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from threadpoolctl import ThreadpoolController

_LARGE: Final = 2**24
"""Numbers of a matrix from which on its products are worth several threads."""
_OPTIMIZER: Final = "scipy.libs"
"""Folder of the library that SciPy brings for itself, where it does: its optimizer goes through
vectors, which never are."""


def few_threads(numbers: int) -> AbstractContextManager[object]:
    """Leaves a fit no more threads than it can use, until it is over.

    Args:
        numbers: of the matrix that its products read.
    """
    found = ThreadpoolController().select(user_api="blas")
    files = [
        each.filepath
        for each in found.lib_controllers
        if numbers < _LARGE or Path(each.filepath).parent.name == _OPTIMIZER
    ]
    return found.select(filepath=files).limit(limits=1)


def one_thread() -> AbstractContextManager[object]:
    """Leaves every product one thread, for work that has threads of its own."""
    return ThreadpoolController().select(user_api="blas").limit(limits=1)
