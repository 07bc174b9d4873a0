"""Mean regret against trials as one SVG file, a panel for each regime."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.warm_start.methods import AVERAGE_RANK, COLD, WARM
from benchmarks.warm_start.summary import Summary
from models.number_text import short_number
from models.storage.atomic_write import write_atomically

_WIDTH, _PANEL_HEIGHT, _LEGEND_LINE = 920, 320, 20
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 34, 40
_COLUMNS = 2
_LEAST_REGRET = 0.01
"""Regret is drawn in logarithmic scale from here on; what is below lies on the lower edge."""

_COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
            "#7f3c8d", "#666666", "#8c564b", "#a5aa99", "#e73f74", "#80ba5a")  # fmt: skip
_REGRETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_TRIALS = (1, 3, 5, 10, 25, 50, 100)
_LEGEND_COLUMNS = 4
_STRONG = (WARM, COLD, AVERAGE_RANK)


def write_plot(path: Path, summary: Summary, labels: dict[str, str]) -> None:
    """Writes the file.

    Args:
        path: of the SVG.
        summary: what is shown.
        labels: of methods and regimes.
    """
    columns = min(_COLUMNS, len(summary.regimes))
    rows = math.ceil(len(summary.regimes) / columns)
    legend = _legend(summary.methods, labels, rows * _PANEL_HEIGHT + _LEGEND_LINE)
    lines = math.ceil(len(summary.methods) / _LEGEND_COLUMNS) + 1
    height = rows * _PANEL_HEIGHT + lines * _LEGEND_LINE
    scale = _Scale(summary, _WIDTH / columns)
    panels = [
        f'<g transform="translate({index % columns * scale.width} '
        f'{index // columns * _PANEL_HEIGHT})">'
        f"{_panel(summary, regime, labels.get(regime, regime), scale)}</g>"
        for index, regime in enumerate(summary.regimes)
    ]
    content = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" role="img" '
        'aria-label="Mean test regret against trials, by method and regime">'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>{"".join(panels)}{legend}</svg>\n'
    )
    write_atomically(path, content.encode())


def mean_curve(summary: Summary, method: str, regime: str) -> NDArray[np.float64] | None:
    """Regret by trials, mean over the tasks; None if the method has none."""
    figures = summary.of(method, regime)
    return np.mean([each.curve for each in figures.values()], axis=0) if figures else None


class _Scale:
    """Places trials and regrets in a panel; the same for all panels."""

    def __init__(self, summary: Summary, width: float) -> None:
        curves = [
            curve
            for regime in summary.regimes
            for method in summary.methods
            if (curve := mean_curve(summary, method, regime)) is not None
        ]
        self.width = width
        self.trials = summary.trials
        self.high = max([1.0, *(float(curve.max()) for curve in curves)])
        self.low = max(_LEAST_REGRET, min([0.5, *(float(curve.min()) for curve in curves)]))

    def x(self, trial: float) -> float:
        share = (trial - 1) / max(self.trials - 1, 1)
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def y(self, regret: float) -> float:
        share = math.log(max(regret, self.low) / self.low) / math.log(self.high / self.low)
        return _PANEL_HEIGHT - _BOTTOM - share * (_PANEL_HEIGHT - _TOP - _BOTTOM)


def _panel(summary: Summary, regime: str, title: str, scale: _Scale) -> str:
    parts = [
        f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        f'<text x="{scale.width / 2}" y="{_PANEL_HEIGHT - 6}" text-anchor="middle">trials</text>',
        f'<text transform="translate(14 {_PANEL_HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        "mean test regret</text>",
    ]
    parts += [_grid_line(scale, tick) for tick in _REGRETS if scale.low <= tick <= scale.high]
    parts += [
        f'<text x="{scale.x(tick):.1f}" y="{_PANEL_HEIGHT - _BOTTOM + 16}" '
        f'text-anchor="middle">{tick}</text>'
        for tick in _TRIALS
        if tick <= scale.trials
    ]
    # Later ones lie above: those that matter most.
    order = sorted(
        enumerate(summary.methods), key=lambda each: (each[1] in _STRONG, each[1] == WARM)
    )
    for index, method in order:
        curve = mean_curve(summary, method, regime)
        if curve is not None:
            parts.append(_curve(curve, scale, index, method))
    return "".join(parts)


def _grid_line(scale: _Scale, tick: float) -> str:
    y = scale.y(tick)
    return (
        f'<line x1="{_LEFT}" x2="{scale.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
        f'stroke="#ddd"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"{short_number(tick)}</text>"
    )


def _curve(curve: NDArray[np.float64], scale: _Scale, index: int, method: str) -> str:
    points = " ".join(
        f"{scale.x(trial):.1f},{scale.y(float(regret)):.1f}"
        for trial, regret in enumerate(curve, start=1)
    )
    return f'<polyline points="{points}" fill="none" {_stroke(index, method)}/>'


def _stroke(index: int, method: str) -> str:
    width = 2.6 if method in _STRONG else 1.4
    dashes = ' stroke-dasharray="6 3"' if index % 2 and method not in _STRONG else ""
    return f'stroke="{_COLOURS[index % len(_COLOURS)]}" stroke-width="{width}"{dashes}'


def _legend(methods: Sequence[str], labels: dict[str, str], top: int) -> str:
    step = _WIDTH / _LEGEND_COLUMNS
    parts = []
    for index, method in enumerate(methods):
        x = 20 + index % _LEGEND_COLUMNS * step
        y = top + index // _LEGEND_COLUMNS * _LEGEND_LINE
        parts.append(
            f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" {_stroke(index, method)}/>'
            f'<text x="{x + 30}" y="{y + 4}">{escape(labels.get(method, method))}</text>'
        )
    return "".join(parts)
