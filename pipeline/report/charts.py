"""Line charts as inline SVG: no script, legible in light and dark, described for readers.

Colours come from the style sheet by class name. Charts are drawn 480 units wide, which is about
what a phone shows, so that their text keeps a readable size there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from models.number_text import short_number

WIDTH, HEIGHT = 480.0, 280.0
_LEAST_SPAN = 1e-6
_TICKS = 6
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 34.0, 42.0


@dataclass(frozen=True)
class Series:
    """A named line, or dots.

    Attributes:
        name: shown in the legend.
        points: (x, y), x ascending.
        style: class of the style sheet: "first", "second" or "quiet".
        dots: draw the points alone, without the line.
    """

    name: str
    points: Sequence[tuple[float, float]]
    style: str = "first"
    dots: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        label: what it measures, with its unit.
        ticks: values that are marked; the first and last are the ends of the axis.
    """

    label: str
    ticks: tuple[float, ...]

    def place(self, value: float, start: float, end: float) -> float:
        """Maps a value to a coordinate between `start` and `end`."""
        low, high = self.ticks[0], self.ticks[-1]
        return start + (value - low) / (high - low) * (end - start)


def nice_ticks(low: float, high: float) -> tuple[float, ...]:
    """Chooses round values that span [low, high], at most about `_TICKS` of them."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return (0.0, 1.0)
    whole = max(abs(high), 1.0)
    # What differs in its last digits alone would get ticks that are all the same.
    span = high - low if high - low > _LEAST_SPAN * whole else whole
    raw = span / (_TICKS - 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999) * magnitude
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if last == first:
        last += 1
    return tuple(round(index * step, 10) for index in range(first, last + 1))


def whole_ticks(last: int) -> tuple[float, ...]:
    """Chooses whole numbers from 1 to `last`, for epochs and trials."""
    if last <= 1:
        return (0.0, 1.0, 2.0)
    step = math.ceil((last - 1) / 6)
    return tuple(float(value) for value in range(1, last + step, step))


def line_chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    marks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Draws lines over common axes.

    Args:
        title: what the chart shows; read out in place of the picture.
        series: at least one.
        x: horizontal axis.
        y: vertical axis.
        marks: (x, words) of vertical lines, such as the start of a phase.

    Returns:
        An `<svg>` element; every text in it is escaped.
    """
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = [_grid(x, y), _labels(x, y)]
    for place, words in marks:
        parts.append(_mark(x.place(place, _LEFT, right), words))
    for each in series:
        placed = [
            (x.place(a, _LEFT, right), y.place(b, bottom, _TOP), a, b) for a, b in each.points
        ]
        parts.append(_series(each, placed))
    parts.append(_legend(series))
    return _svg(title, Markup("").join(parts))


def _svg(title: str, content: Markup) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(int(WIDTH), int(HEIGHT), title, content)


def _grid(x: Axis, y: Axis) -> Markup:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for tick in y.ticks:
        at = y.place(tick, bottom, _TOP)
        parts.append(_line("grid", _LEFT, at, right, at))
        parts.append(_text(_LEFT - 8, at + 4, short_number(tick), "end"))
    for tick in x.ticks:
        at = x.place(tick, _LEFT, right)
        parts.append(_line("tick", at, bottom, at, bottom + 4))
        parts.append(_text(at, bottom + 18, short_number(tick), "middle"))
    return Markup("").join(parts)


def _labels(x: Axis, y: Axis) -> Markup:
    centre = (_LEFT + WIDTH - _RIGHT) / 2
    return _text(centre, HEIGHT - 6, x.label, "middle") + _text(2, 12, y.label, "start")


def _mark(at: float, words: str) -> Markup:
    line = _line("mark", at, _TOP, at, HEIGHT - _BOTTOM)
    if at > (_LEFT + WIDTH - _RIGHT) / 2:  # behind the line there may be no room
        return line + _text(at - 5, _TOP + 12, words, "end")
    return line + _text(at + 5, _TOP + 12, words, "start")


def _series(series: Series, placed: Sequence[tuple[float, float, float, float]]) -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in placed)
    line = Markup('<polyline class="line {}" points="{}"/>').format(series.style, path)
    dots = [
        _dot(series.style, x, y, f"{series.name}: {short_number(a)}, {short_number(b)}")
        # Beyond this many, dots only thicken the line and the file.
        for x, y, a, b in (placed if len(placed) <= 120 or series.dots else ())
    ]
    return (Markup("") if series.dots else line) + Markup("").join(dots)


def _legend(series: Sequence[Series]) -> Markup:
    """Names the lines at the top right, last name outermost."""
    parts, at = [], WIDTH - _RIGHT
    for each in reversed(series):
        at -= 6.6 * len(each.name)
        parts.append(_text(at, 12, each.name, "start"))
        if each.dots:
            parts.append(_dot(each.style, at - 12, 8))
        else:
            parts.append(_line(f"line {each.style}", at - 22, 8, at - 6, 8))
        at -= 36
    return Markup("").join(parts)


def _line(style: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        style, f"{x1:.1f}", f"{y1:.1f}", f"{x2:.1f}", f"{y2:.1f}"
    )


def _dot(style: str, x: float, y: float, words: str = "") -> Markup:
    return Markup('<circle class="dot {}" cx="{}" cy="{}" r="3"><title>{}</title></circle>').format(
        style, f"{x:.1f}", f"{y:.1f}", words
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        f"{x:.1f}", f"{y:.1f}", anchor, escape(text)
    )
