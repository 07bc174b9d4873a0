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

    >>> [figure_text(value) for value in (0.93182, None)]
    ['0.932', '–']
    """
    return "–" if value is None else f"{value:.{digits}f}"


def interval_text(interval: tuple[float, float] | list[float] | None, digits: int = 3) -> str:
    """Writes an interval; empty where there is none.

    >>> interval_text((0.9318, 0.978))
    '[0.932, 0.978]'
    """
    return "" if interval is None else f"[{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def duration(seconds: float) -> str:
    """Writes a wall time for people, such as "4.2 s" or "3 min 05 s"."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
