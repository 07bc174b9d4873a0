"""The epochs after which a curve may be paused: 1, 2, 4, 8 and so on."""


def next_rung(epochs: int, most: int) -> int:
    """Epochs after which a curve of so many pauses next.

    Args:
        epochs: that it has, fewer than `most`.
        most: of a full training, which is the last rung.

    >>> [next_rung(epochs, 50) for epochs in (0, 1, 2, 3, 32)]
    [1, 2, 4, 4, 50]
    """
    return min(1 << epochs.bit_length(), most)


def rungs(most: int) -> tuple[int, ...]:
    """All epochs at which a curve may pause.

    Args:
        most: of a full training, at least 1.

    >>> rungs(50)
    (1, 2, 4, 8, 16, 32, 50)
    """
    stops = [1]
    while stops[-1] < most:
        stops.append(next_rung(stops[-1], most))
    return tuple(stops)
