"""The group that a path names (`data.group`): images of one thing, kept on one side."""

import re
from functools import lru_cache

from components.example_gen.ingest_settings import IngestSettings


def group_of(name: str, settings: IngestSettings) -> str:
    """Finds the group that a path is of, where `data.group` is a pattern.

    Args:
        name: path relative to the data, printable.
        settings: hold the pattern.

    Returns:
        What the first bracket of the pattern matches, or all that it matches where it has no
        bracket; empty where there is no pattern, or none that matches.
    """
    if not settings.group:
        return ""
    match = _pattern(settings.group).search(name)
    if match is None:
        return ""
    return (match[1] if match.re.groups else match[0]) or ""


@lru_cache(maxsize=8)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
