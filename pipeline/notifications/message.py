"""The text of a message about a run, by the user's template or Graft's own."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from models.byte_order_mark import decoded
from pipeline.text_templates import text_templates

_TEMPLATES: Final = Path(__file__).parent / "templates"
_MOST_BYTES: Final = 1_000_000
_EXAMPLE: Final = {
    "event": "pushed",
    "status": "pushed",
    "run_id": "20261128-023000-000",
    "reason": "All checks passed.",
    "workspace": "graft-workspace",
    "report": "report.html",
    "accuracy": 0.9,
    "version": 1,
    "findings": "",
}


class TemplateFileError(Exception):
    """The user's template cannot be used; says why."""


def message_text(template: str, values: Mapping[str, Any]) -> str:
    """Fills a template in.

    Args:
        template: the user's file; empty for Graft's own.
        values: by the names that it knows.

    Raises:
        TemplateFileError: the file cannot be read, or is no such template.
    """
    own = Path(template) if template else _TEMPLATES / "message.txt.j2"
    text = _read(own)
    try:
        return text_templates(own.parent).from_string(text).render(values).strip()
    except Exception as error:  # noqa: BLE001 - a template is a program
        raise TemplateFileError(f"{own} cannot be filled in: {error}") from None


def check_template(template: str) -> None:
    """Fills a template in for a run that there never was.

    Args:
        template: the user's file.

    Raises:
        TemplateFileError: it cannot be used.
    """
    message_text(template, _EXAMPLE)


def _read(file: Path) -> str:
    try:
        status = file.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES:
            return decoded(file.read_bytes())
    except OSError as error:
        raise TemplateFileError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise TemplateFileError(f"{file} cannot be read: {error}") from None
    raise TemplateFileError(f"{file} is no file, or larger than {_MOST_BYTES:,} bytes")
