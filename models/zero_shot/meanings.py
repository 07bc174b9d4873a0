"""What each class means, and how near ImageNet's classes are to that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import UsageError
from models.zero_shot.class_names import ClassName, parse_sense, spellings
from models.zero_shot.wordnet import WordNet

NEAR: Final = 0.65
"""Similarity from which on an ImageNet class tells something of another class."""
_RARER: Final = 0.9
"""What a sense of a word counts beside the next more frequent one."""

_TABLE: Final = Path(__file__).parent / "tables" / "imagenet_sense_keys.txt"
"""WordNet's sense key of each class, in the order of a network's outputs."""


@dataclass(frozen=True)
class Meaning:
    """A class, as far as it is understood.

    Attributes:
        name: of the class.
        words: what it was taken for, with the dictionary's words; or why it means nothing here.
        similarities: float32 [1000], 0..1, to ImageNet's classes; None where nothing is known.
    """

    name: str
    words: str
    similarities: NDArray[np.float32] | None

    @property
    def is_known(self) -> bool:
        """Whether images of the class can be found."""
        return self.similarities is not None


def told_apart(meanings: Sequence[Meaning]) -> list[Meaning]:
    """Adds to the words of a class where an earlier one means the same.

    Such classes share what each of their images is sure of, and the first of them gets all images.
    """
    found: list[Meaning] = []
    for each in meanings:
        same = next((other for other in found if _are_same(each, other)), None)
        words = "" if same is None else f"; nothing tells it from {same.name!r}, which means that"
        found.append(replace(each, words=each.words + words))
    return found


def _are_same(one: Meaning, other: Meaning) -> bool:
    if one.similarities is None or other.similarities is None:
        return False
    return np.array_equal(one.similarities, other.similarities)


class ImageNet:
    """ImageNet's 1,000 classes in WordNet."""

    def __init__(self, wordnet: WordNet) -> None:
        """Finds them.

        Raises:
            UsageError: this WordNet lacks some.
        """
        found = [(key, wordnet.synset(key)) for key in _TABLE.read_text("utf-8").split()]
        missing = [key for key, synset in found if synset is None]
        if missing:
            raise UsageError(
                f"This WordNet lacks {len(missing)} of ImageNet's 1,000 classes, such as "
                f"{missing[0]}; expected version 3.0 or 3.1."
            )
        self._wordnet = wordnet
        self._synsets = [synset for _, synset in found if synset is not None]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the classes, in the order of the network's outputs."""
        return tuple(map(self._wordnet.name, self._synsets))

    def meaning(self, asked: ClassName) -> Meaning:
        """Finds what a class means; of several words the nearest counts.

        Of the senses of a word the one is taken that is nearest to something in ImageNet, and
        frequent: pictures show things that can be seen.

        Raises:
            UsageError: a word has no sense of the number that stands behind it.
        """
        senses = [self._sense(word) for word in asked.words]
        known = [each for each in senses if each.similarities is not None]
        words = "; ".join(each.words for each in known or senses)
        if not known:
            return Meaning(asked.name, words, None)
        rows = [each.similarities for each in known if each.similarities is not None]
        return Meaning(asked.name, words, np.max(rows, axis=0))

    def _sense(self, word: str) -> Meaning:
        bare, number = parse_sense(word)
        spelling, senses = self._senses(bare)
        if not senses:
            return Meaning(word, f"WordNet has no noun {bare!r}", None)
        if number is not None:
            if number > len(senses):
                raise UsageError(f"WordNet knows {len(senses)} senses of {bare!r}; got {word!r}.")
            senses = {list(senses)[number - 1]: 0}
        rows = {sense: self._similarities(sense) for sense in senses}
        nearness = {each: float(rows[each].max()) * _RARER ** senses[each] for each in senses}
        best = max(nearness, key=lambda each: nearness[each])
        meant = f"{spelling.replace('_', ' ')}, {self._wordnet.gloss(best)}"
        if nearness[best] < NEAR:
            return Meaning(word, f"nothing in ImageNet is like {meant}", None)
        nearest = self.names[int(rows[best].argmax())]
        return Meaning(word, f"{meant} (nearest in ImageNet: {nearest})", rows[best])

    def _senses(self, word: str) -> tuple[str, dict[str, int]]:
        for spelling in spellings(word):
            if senses := self._wordnet.senses(spelling):
                return spelling, senses
        return word, {}

    def _similarities(self, synset: str) -> NDArray[np.float32]:
        return np.array(
            [self._wordnet.similarity(synset, each) for each in self._synsets], np.float32
        )
