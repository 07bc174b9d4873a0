"""The card as HTML and as Markdown; everything in it is escaped."""

import re
from pathlib import Path
from typing import Final

import jinja2

from components.artifact_names import CARD_FILE, MARKDOWN_CARD_FILE
from components.example_gen.sources.entries import printable
from components.model_card.card import Card
from models.number_text import figure_text, interval_text

_TEMPLATES: Final = Path(__file__).parent / "templates"
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def render(card: Card) -> dict[str, bytes]:
    """Renders a card.

    Returns:
        Name to content of two files, UTF-8; they need nothing from outside.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: name is not None and name.startswith(CARD_FILE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "figure": figure_text,
        "interval": interval_text,
        "paragraphs": _paragraphs,
        "printable": printable,
        "markdown": as_markdown,
    }
    return {
        name: made.get_template(f"{name}.j2").render(card=card).encode("utf-8", "backslashreplace")
        for name in (CARD_FILE, MARKDOWN_CARD_FILE)
    }


def as_markdown(text: str) -> str:
    r"""Text on one line that Markdown shows as it is.

    >>> as_markdown("a_b <i>\n| c")
    'a\\_b \\<i\\> \\| c'
    """
    return _MARKS.sub(r"\\\1", printable(" ".join(str(text).split())))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip()) if each.strip()]
