"""The nouns of Princeton's WordNet: what words mean, and how near two meanings are.

A meaning is a synset, named by its offset in `data.noun`. How much a synset says is reckoned from
the taxonomy alone: the fewer kinds there are of a thing, the more its name says (N. Seco, T. Veale
and J. Hayes, "An Intrinsic Information Content Metric for Semantic Similarity in WordNet", ECAI
2004). Two synsets are as near as what they share says, beside what they say alone (D. Lin, "An
Information-Theoretic Definition of Similarity", ICML 1998).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from models.errors import UsageError

DATA, INDEX = "data.noun", "index.noun"
_EXCEPTIONS: Final = "noun.exc"
_ENDINGS: Final = (
    *(("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z")),
    *(("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")),
)
"""Of plurals, and of their singulars (the rules of WordNet's own morphology)."""
_HYPERNYMS: Final = ("@", "@i")
_HEADER: Final = " "
"""What the lines of the licence, at the top of each file, begin with."""


@dataclass(frozen=True, slots=True)
class _Synset:
    keys: tuple[str, ...]
    above: tuple[str, ...]
    gloss: str


class WordNet:
    """The noun taxonomy of a folder of WordNet's database, version 3.0 or 3.1."""

    def __init__(self, folder: Path) -> None:
        """Reads it, which takes some seconds.

        Args:
            folder: that `data.noun` and `index.noun` lie in.

        Raises:
            UsageError: they are missing, or not of WordNet's form.
        """
        try:
            self._synsets = dict(map(_synset, _lines(folder / DATA)))
            self._index = dict(map(_senses, _lines(folder / INDEX)))
            self._singulars = _exceptions(folder / _EXCEPTIONS)
        except OSError as error:
            raise UsageError(
                f"{folder} is no folder of WordNet's database: {error.filename} cannot be read "
                f"({error.strerror})."
            ) from None
        except (ValueError, IndexError) as error:
            raise UsageError(
                f"{folder} does not hold WordNet's database as it was published (versions 3.0 and "
                f"3.1): {error}."
            ) from None

    def senses(self, word: str) -> dict[str, int]:
        """What a word, or its singular, may mean.

        Args:
            word: small letters; "_" in the place of spaces.

        Returns:
            Synset to how many senses of the word are more frequent, those of the word itself first.
        """
        forms = [word, *self._singulars.get(word, ())]
        forms += [
            word[: -len(ending)] + singular
            for ending, singular in _ENDINGS
            if word.endswith(ending) and len(word) > len(ending)
        ]
        found: dict[str, int] = {}
        for form in forms:
            for rank, synset in enumerate(self._index.get(form, ())):
                found.setdefault(synset, rank)
        return found

    def synset(self, key: str) -> str | None:
        """The synset of a sense key, such as `tench%1:05:00::`; None where there is none.

        Keys are the same in all versions, offsets are not.
        """
        return self._keys.get(key)

    def name(self, synset: str) -> str:
        """The first word of a synset, as one writes it."""
        return self._synsets[synset].keys[0].partition("%")[0].replace("_", " ")

    def gloss(self, synset: str) -> str:
        """What the dictionary says of it, without examples."""
        return self._synsets[synset].gloss

    def similarity(self, one: str, other: str) -> float:
        """Of two synsets, 0..1; 1 for the same."""
        shared = self._ancestors(one) & self._ancestors(other)
        told = max((self._content(each) for each in shared), default=0.0)
        both = self._content(one) + self._content(other)
        return 2.0 * told / both if both > 0.0 else float(one == other)

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {key: at for at, synset in self._synsets.items() for key in synset.keys}

    @cached_property
    def _above(self) -> dict[str, tuple[str, ...]]:
        return {at: synset.above for at, synset in self._synsets.items()}

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = {}
        for at, above in self._above.items():
            for each in above:
                below.setdefault(each, []).append(at)
        return below

    @cache  # noqa: B019 - one object a process
    def _ancestors(self, synset: str) -> frozenset[str]:
        """A synset and all that it is a kind of."""
        return frozenset(_reached(synset, self._above))

    @cache  # noqa: B019 - one object a process
    def _content(self, synset: str) -> float:
        """How much a synset says, 0..1."""
        kinds = len(_reached(synset, self._below))
        return 1.0 - math.log(kinds) / math.log(max(len(self._synsets), 2))


def _reached(start: str, ways: Mapping[str, Sequence[str]]) -> set[str]:
    """A synset and all that lie that way of it, each once."""
    reached, pending = {start}, [start]
    while pending:
        further = set(ways.get(pending.pop(), ())) - reached
        reached |= further
        pending += further
    return reached


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="latin-1") as lines:
        yield from (line for line in lines if not line.startswith(_HEADER))


def _synset(line: str) -> tuple[str, _Synset]:
    """A line of `data.noun`: offset, lexicographer's file, kind, words, pointers | gloss."""
    fields, _, told = line.partition(" | ")
    offset, lexicographer, _, words_hex, *rest = fields.split()
    words = int(words_hex, 16)
    keys = tuple(
        f"{rest[2 * at].lower()}%1:{lexicographer}:{int(rest[2 * at + 1], 16):02d}::"
        for at in range(words)
    )
    pointers = rest[2 * words + 1 :]
    above = tuple(
        pointers[4 * at + 1] for at in range(int(rest[2 * words])) if pointers[4 * at] in _HYPERNYMS
    )
    return offset, _Synset(keys, above, told.partition('; "')[0].strip())


def _senses(line: str) -> tuple[str, tuple[str, ...]]:
    """A line of `index.noun`: word, kind, number of senses, …, their offsets."""
    fields = line.split()
    return fields[0], tuple(fields[-int(fields[2]) :])


def _exceptions(file: Path) -> dict[str, tuple[str, ...]]:
    """Singulars by plural, of the file that not every distribution has."""
    if not file.is_file():
        return {}
    rows = [line.split() for line in file.read_text("latin-1").splitlines()]
    return {row[0]: tuple(row[1:]) for row in rows if row}
