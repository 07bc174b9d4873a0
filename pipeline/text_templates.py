"""Templates of files that are no HTML: what is filled in stands there as it is."""

from pathlib import Path

import jinja2


def text_templates(folder: Path) -> jinja2.Environment:
    """The templates of a folder; a name that is not filled in is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
