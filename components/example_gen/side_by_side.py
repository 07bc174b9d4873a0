"""Whether threads pay for reading many files."""

from collections.abc import Collection

_SMALL_FILE = 32 << 10


def pays_side_by_side(sizes: Collection[int]) -> bool:
    """Whether several threads are sooner done with files than one.

    Threads take turns in Python, and read, digest and decode side by side. For small files they
    need two to three times the processor time of one thread, and are no sooner done.

    Args:
        sizes: of the files, in bytes.

    >>> pays_side_by_side([900, 20_000]), pays_side_by_side([900, 200_000])
    (False, True)
    """
    return sum(sizes) > _SMALL_FILE * len(sizes)
