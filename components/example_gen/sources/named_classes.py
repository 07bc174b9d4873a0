"""Whether the names of images say their classes, as in pug_12.jpg: a hint, never a decision."""

import re
import shlex
from collections import Counter
from itertools import islice
from typing import Final

from components.example_gen.sources.entries import printable
from components.example_gen.sources.tree import File, Folder, is_image

_PATTERN: Final = r"([^/]+?)[_. -]*\d+\.\w+$"
_LOOKED_AT: Final = 400
_MOST_ODD: Final = 0.1
_FEWEST: Final = 2
_SHOWN: Final = 3


def hint_of_names(folder: Folder) -> str:
    """Gives the line to type where images lie beside one another, named by class and number.

    Args:
        folder: that was to hold class folders.

    Returns:
        A sentence, after a blank; empty where the names do not look so.
    """
    told = {place: classes for place in (folder, *folder.folders) if (classes := _classes(place))}
    if not told:
        return ""
    place = next(iter(told)) if len(told) == 1 else folder
    shown = ", ".join(sorted(set().union(*told.values()))[:_SHOWN])
    line = f"data.class_pattern={_PATTERN}"
    return (
        f" If the names of the images in {printable(place.title)}/ say their classes ({shown}, …):"
        f" `graft run --data {shlex.quote(printable(place.path))} --set {shlex.quote(line)}`."
    )


def _classes(folder: Folder) -> set[str]:
    """What the names of a folder's images say; empty where it does not look like classes."""
    try:
        images = (one for one in folder.entries() if isinstance(one, File) and is_image(one))
        names = [printable(one.entry.name) for one in islice(images, _LOOKED_AT)]
    except OSError:
        return set()
    found = Counter(match[1] for match in map(re.compile(_PATTERN).search, names) if match)
    is_told = found.total() >= (1 - _MOST_ODD) * len(names)
    are_some = _FEWEST <= len(found) <= len(names) / _FEWEST
    return set(found) if is_told and are_some and all(map(_is_word, found)) else set()


def _is_word(text: str) -> bool:
    return any(map(str.isalpha, text))
