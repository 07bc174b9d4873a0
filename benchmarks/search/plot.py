"""Mean relative regret by budget, as one SVG file."""

import math
from html import escape
from pathlib import Path

from benchmarks.search.replay import BUDGETS
from benchmarks.search.report import LABELS, Results, regrets
from models.curves.learning_curve import Floats
from models.number_text import short_number
from models.storage.atomic_write import write_atomically

_WIDTH, _HEIGHT, _LEGEND = 620, 400, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 14, 44
_LINE = 20
_LOW = 0.02
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_COLOURS = ("#0072b2", "#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00",
            "#7f3c8d", "#666666", "#8c564b", "#a5aa99", "#e73f74", "#80ba5a")  # fmt: skip


def write_plot(path: Path, results: Results) -> None:
    """Draws a line for each method, over all data sets."""
    names = sorted({name for method in results.values() for name in method})
    lines = [
        _line(number, method, regrets(results, method, names).mean(axis=0))
        for number, method in enumerate(results)
    ]
    grid = [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(tick):.1f}" y2="{_y(tick):.1f}" '
        f'stroke="#ddd"/><text x="{_LEFT - 6}" y="{_y(tick) + 4:.1f}" text-anchor="end">'
        f"{short_number(tick)}</text>"
        for tick in _TICKS
    ]
    ticks = [
        f'<text x="{_x(budget):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
        f"{budget:g}</text>"
        for budget in BUDGETS
    ]
    titles = (
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">budget, in median full '
        f'trainings</text><text transform="translate(14 {_HEIGHT / 2}) rotate(-90)" '
        'text-anchor="middle">mean relative regret</text>'
    )
    width, height = _WIDTH + _LEGEND, max(_HEIGHT, _TOP + _LINE * (len(lines) + 1))
    content = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" role="img" '
        'aria-label="Mean relative regret by budget and method">'
        f'<rect width="{width}" height="{height}" fill="white"/>'
        f"{''.join([*grid, *ticks, titles, *lines])}</svg>\n"
    )
    write_atomically(path, content.encode())


def _x(budget: float) -> float:
    share = math.log(budget / BUDGETS[0]) / math.log(BUDGETS[-1] / BUDGETS[0])
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(regret: float) -> float:
    share = math.log(max(regret, _LOW) / _LOW) / math.log(1 / _LOW)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _line(number: int, method: str, regret: Floats) -> str:
    points = " ".join(
        f"{_x(budget):.1f},{_y(float(each)):.1f}"
        for budget, each in zip(BUDGETS, regret, strict=True)
    )
    label = LABELS[method]
    width = 2.6 if "**" in label else 1.4
    stroke = f'stroke="{_COLOURS[number % len(_COLOURS)]}" stroke-width="{width}"'
    y = _TOP + _LINE * (number + 1)
    return (
        f'<polyline points="{points}" fill="none" {stroke}/>'
        f'<line x1="{_WIDTH + 4}" x2="{_WIDTH + 28}" y1="{y}" y2="{y}" {stroke}/>'
        f'<text x="{_WIDTH + 34}" y="{y + 4}">{escape(label.replace("**", ""))}</text>'
    )
