"""What the name of a class may mean: from `TallBuilding` or `t_shirts` to words of WordNet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from models.errors import UsageError

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[\s_./-]+")
_SENSE: Final = re.compile(r"(.+)#([1-9][0-9]*)")


@dataclass(frozen=True)
class ClassName:
    """A class, and the words that say what it is.

    Attributes:
        name: as it is to stand in the manifest.
        words: at least one, each with `#2` behind it where its second sense is meant.
    """

    name: str
    words: tuple[str, ...]


def parse_class(text: str) -> ClassName:
    """Reads `shoes`, or, where WordNet needs other words, `Outwear=coat` or `Kitchen=stove+sink`.

    Raises:
        UsageError: there is no name, or no word behind the "=".
    """
    name, equals, told = text.partition("=")
    name = name.strip()
    words = tuple(word.strip() for word in told.split("+")) if equals else (name,)
    if not name or not all(words):
        raise UsageError(
            f"{text!r} is no class: expected a name, or a name and the words that say what it is, "
            "such as shoes, outwear=coat or kitchen=stove+refrigerator."
        )
    return ClassName(name, words)


def parse_sense(word: str) -> tuple[str, int | None]:
    """A word without its `#2`, and that number; None where it says none."""
    told = _SENSE.fullmatch(word)
    return (told[1], int(told[2])) if told else (word, None)


def spellings(word: str) -> Iterator[str]:
    """How WordNet may write a word, the likeliest first.

    In the end its last words alone: a tall building is a building.
    """
    yield "_".join(word.lower().split())
    parts = [part for part in _BETWEEN.split(_CAMEL.sub(" ", word).lower()) if part]
    for start in range(len(parts)):
        for between in ("_", "-", ""):
            yield between.join(parts[start:])
