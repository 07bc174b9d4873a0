"""What the text of a label means, whoever wrote it."""

import unicodedata
from typing import Final

_WRITTEN_FOR_MISSING: Final = r"""
nan NaN NAN -nan -NaN 1.#QNAN -1.#QNAN 1.#IND -1.#IND NA N/A n/a #NA #N/A <NA> NaT NULL null \N
"""
_MISSING: Final = frozenset(_WRITTEN_FOR_MISSING.split())


def is_missing(text: str) -> bool:
    """Whether programs write a text, without blanks around it, where a label is missing."""
    return not text or text in _MISSING


def one_form(text: str) -> str:
    """One text for all ways to write a name.

    Surrounding blanks go, and composed and decomposed accents (Linux and macOS write them
    differently) become the same.
    """
    return unicodedata.normalize("NFC", text.strip())
