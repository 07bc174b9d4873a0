"""Finds the first of many that does not fit."""

from collections.abc import Callable


def first_failing(count: int, fails: Callable[[int, int], bool]) -> int:
    """Finds the first of `count` items that fails, by halving.

    Args:
        count: how many there are; one of them fails.
        fails: whether one of the items from a start to before an end fails. All items before the
            start are known to be good, so that it may look at them too.

    Returns:
        Its position.
    """
    start, end = 0, count
    while end - start > 1:
        middle = (start + end) // 2
        if fails(start, middle):
            end = middle
        else:
            start = middle
    return start
