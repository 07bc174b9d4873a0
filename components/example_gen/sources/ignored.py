"""Which paths the user wants passed over (`data.ignore`)."""

import fnmatch
import re
from functools import lru_cache

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LeftOut


def is_ignored(name: str, settings: IngestSettings) -> bool:
    """Whether a pattern of the user's matches a path, or a folder that it lies in.

    Args:
        name: path relative to the data, printable, without a slash at its end.
        settings: hold the patterns.
    """
    if not settings.ignore:
        return False
    return _matcher(settings.ignore).match(name.removeprefix("./")) is not None


def ignored(name: str, settings: IngestSettings) -> LeftOut | None:
    """The line of the quarantine for a path that is ignored; None for any other."""
    if not is_ignored(name, settings):
        return None
    return LeftOut(name, "ignored", "a pattern of data.ignore matches it", "passed_over")


@lru_cache(maxsize=8)
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    wanted = [pattern.removeprefix("./").rstrip("/") for pattern in patterns]
    below = [f"{pattern}/*" for pattern in wanted]
    return re.compile("|".join(map(fnmatch.translate, (*wanted, *below))))
