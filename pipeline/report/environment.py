"""How all of Graft's pages are made: one set of templates, everything in them escaped."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from components.example_gen.sources.entries import printable
from models.number_text import duration, figure_text, interval_text, short_number

_TEMPLATES = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """The templates, with the filters `duration`, `figure`, `interval`, `short` and `visible`."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = duration
    made.filters["figure"] = figure_text
    made.filters["interval"] = _interval
    made.filters["short"] = short_number
    made.filters["visible"] = printable
    return made


def _interval(interval: list[float] | tuple[float, float] | None, digits: int = 3) -> Markup:
    """Writes a 95 % interval behind its figure; nothing where there is none."""
    text = interval_text(interval, digits)
    return Markup('<span class="faint interval">{}</span>').format(text) if text else Markup("")
