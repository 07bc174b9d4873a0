"""Renders a run's report as one HTML page that needs nothing else."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import tensorflow as tf

from pipeline.report.artifacts import Artifacts
from pipeline.report.data_view import data_view
from pipeline.report.environment import environment
from pipeline.report.explanation_view import explanation_view
from pipeline.report.further_view import further_view
from pipeline.report.quality_view import quality_view
from pipeline.report.run_record import RunRecord
from pipeline.report.run_view import run_view
from pipeline.report.search_view import search_view
from pipeline.report.training_view import training_view

_View = TypeVar("_View")


def render_page(run: RunRecord, found: Artifacts, directory: Path) -> str:
    """Renders the HTML page.

    A section whose artifacts are missing, damaged or of an unknown shape is left out: a report
    never fails a run.

    Args:
        run: what is known of the run itself.
        found: what its components left.
        directory: where the page will be, for its link to the model card.

    Returns:
        One document that needs nothing from outside; at most 2 MB.
    """
    return environment().get_template("report.html.j2").render(_context(run, found, directory))


def _context(run: RunRecord, found: Artifacts, directory: Path) -> dict[str, Any]:
    examples = run.artifacts.get("examples")
    return {
        "run": run,
        "found": found,
        "card": run.card and quote(os.path.relpath(run.card, directory)),
        "view": run_view(run, found),
        "data": _section("data", lambda: data_view(found, examples)),
        "search": _section("search", lambda: search_view(found)),
        "training": _section("training", lambda: training_view(found)),
        "quality": _section("quality", lambda: quality_view(found, examples)),
        "further": _section("further", lambda: further_view(found)),
        "explained": _section("explained", lambda: explanation_view(found)),
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
