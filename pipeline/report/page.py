"""Renders a run's report as one HTML page that needs nothing else."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import tensorflow as tf
from markupsafe import Markup

from models.number_text import duration, interval_text
from pipeline.report.artifacts import Artifacts
from pipeline.report.data_view import data_view
from pipeline.report.quality_view import quality_view
from pipeline.report.run_record import RunRecord
from pipeline.report.run_view import run_view
from pipeline.report.search_view import search_view
from pipeline.report.training_view import training_view

_TEMPLATES = Path(__file__).parent / "templates"
_View = TypeVar("_View")


def render_page(run: RunRecord, found: Artifacts) -> str:
    """Renders the HTML page.

    A section whose artifacts are missing, damaged or of an unknown shape is left out: a report
    never fails a run.

    Args:
        run: what is known of the run itself.
        found: what its components left.

    Returns:
        One document that needs nothing from outside; at most 2 MB.
    """
    return _environment().get_template("report.html.j2").render(_context(run, found))


def _context(run: RunRecord, found: Artifacts) -> dict[str, Any]:
    examples = run.artifacts.get("examples")
    return {
        "run": run,
        "found": found,
        "view": run_view(run, found),
        "data": _section("data", lambda: data_view(found, examples)),
        "search": _section("search", lambda: search_view(found)),
        "training": _section("training", lambda: training_view(found)),
        "quality": _section("quality", lambda: quality_view(found, examples)),
    }


def _section(name: str, build: Callable[[], _View | None]) -> _View | None:
    try:
        return build()
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        OSError,
        tf.errors.OpError,
    ):
        logging.getLogger(__name__).exception("The report's section %s is left out", name)
        return None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    environment.filters["figure"] = _figure
    environment.filters["interval"] = _interval
    environment.filters["visible"] = _visible
    return environment


def _figure(value: float | None, digits: int = 3) -> str:
    """Writes a share, or a dash where it is unknown."""
    return "–" if value is None else f"{value:.{digits}f}"


def _interval(interval: list[float] | None, digits: int = 3) -> Markup:
    """Writes a 95 % interval behind its figure; nothing where there is none."""
    text = interval_text(interval, digits)
    return Markup('<span class="faint interval">{}</span>').format(text) if text else Markup("")


def _visible(name: str) -> str:
    """Shows control characters of a file or class name as escapes."""
    return name if name.isprintable() else repr(name)[1:-1]
