"""Numbers as people read them."""


def short_number(value: float) -> str:
    """Writes a number with about three significant digits, and never an exponent.

    >>> [short_number(value) for value in (0.02461, 0.307, 48.61, 1024, 123456.1)]
    ['0.0246', '0.307', '48.6', '1,024', '123,456']
    """
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figure_text(value: float | None, digits: int = 3) -> str:
    """Writes a share, or a dash where it is unknown.

    >>> [figure_text(value) for value in (0.93182, -0.0003, None)]
    ['0.932', '0.000', '–']
    """
    # Plus zero, which takes the sign from what is rounded to nothing.
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def interval_text(interval: tuple[float, float] | list[float] | None, digits: int = 3) -> str:
    """Writes an interval; empty where there is none.

    >>> interval_text((-0.0001, 0.978))
    '[0.000, 0.978]'
    """
    if interval is None:
        return ""
    low, high = (figure_text(end, digits) for end in interval)
    return f"[{low}, {high}]"


def duration(seconds: float) -> str:
    """Writes a wall time for people, such as "4.2 s" or "3 min 05 s"."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
