"""Numbers as people read them."""


def short_number(value: float) -> str:
    """Writes a number with about three significant digits, and never an exponent.

    Examples: 0.0246, 0.307, 48.6, 1,024, 123,456.
    """
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def interval_text(interval: tuple[float, float] | list[float] | None, digits: int = 3) -> str:
    """Writes an interval such as [0.932, 0.978]; empty where there is none."""
    return "" if interval is None else f"[{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
