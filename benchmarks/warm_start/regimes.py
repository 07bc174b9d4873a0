"""What the past looks like: the sources as they are, few, false, in another space, or none.

Natural negative transfer is rare among searches of one space, so the misleading pasts are made:

- `normal`: every source with its whole history.
- `one`: a single source, drawn at random.
- `three_of_ten`: three sources drawn at random, with the first ten trials each.
- `inverted`: the scores of every source turned over, the best for the worst.
- `permuted`: the scores of every source dealt anew to its trials.
- `mixed`: as they are for every other source, inverted for the rest.
- `mismatched`: the scores are true, but the space is another: learning rates are a hundred times
  lower for the same score, dropout goes by the name of `keep_probability` and counts the other way,
  widths are words, there is no weight decay, and `momentum` has no counterpart.
- `empty`: no source.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.history.past_search import PastSearch
from models.history.search_space import Values

Sources = tuple[PastSearch, ...]
Regime = Callable[[Sources, np.random.Generator], Sources]

_WIDTH_WORDS = "width_"
_RATE_FACTOR = 0.01


def apply_regime(name: str, sources: Sequence[PastSearch], seed: int) -> Sources:
    """Makes the past of one search.

    Args:
        name: key of `REGIMES`.
        sources: the histories of the other tasks.
        seed: of what is drawn at random.
    """
    return REGIMES[name](tuple(sources), np.random.default_rng([seed, 17]))


def _normal(sources: Sources, _: np.random.Generator) -> Sources:
    return sources


def _one(sources: Sources, generator: np.random.Generator) -> Sources:
    return _draw(sources, 1, generator)


def _three_of_ten(sources: Sources, generator: np.random.Generator) -> Sources:
    return tuple(
        replace(each, values=each.values[:10], scores=each.scores[:10])
        for each in _draw(sources, 3, generator)
    )


def _inverted(sources: Sources, _: np.random.Generator) -> Sources:
    return tuple(_invert(each) for each in sources)


def _permuted(sources: Sources, generator: np.random.Generator) -> Sources:
    return tuple(replace(each, scores=generator.permutation(each.scores)) for each in sources)


def _mixed(sources: Sources, generator: np.random.Generator) -> Sources:
    places = generator.permutation(len(sources))
    return tuple(
        _invert(each) if place % 2 else each for place, each in zip(places, sources, strict=True)
    )


def _mismatched(sources: Sources, _: np.random.Generator) -> Sources:
    return tuple(_to_other_space(each) for each in sources)


def _empty(_: Sources, __: np.random.Generator) -> Sources:
    return ()


REGIMES: dict[str, Regime] = {
    "normal": _normal,
    "one": _one,
    "three_of_ten": _three_of_ten,
    "inverted": _inverted,
    "permuted": _permuted,
    "mixed": _mixed,
    "mismatched": _mismatched,
    "empty": _empty,
}


def _draw(sources: Sources, count: int, generator: np.random.Generator) -> Sources:
    chosen = generator.permutation(len(sources))[:count]
    return tuple(sources[position] for position in sorted(chosen))


def _invert(source: PastSearch) -> PastSearch:
    """Mirrors the ranks: the scores stay the same set, so nothing but the order is false."""
    order = np.argsort(source.scores, kind="stable")
    scores = np.empty_like(source.scores)
    scores[order] = source.scores[order[::-1]]
    return replace(source, scores=scores)


def _to_other_space(source: PastSearch) -> PastSearch:
    generator = np.random.default_rng(len(source.values))
    values = tuple(
        _other_values(each) | {"momentum": float(generator.uniform(0.0, 0.99))}
        for each in source.values
    )
    return replace(source, values=values)


def _other_values(values: Values) -> Values:
    other = {name: value for name, value in values.items() if name != "weight_decay"}
    if "learning_rate" in other:
        other["learning_rate"] = float(other["learning_rate"]) * _RATE_FACTOR
    if "dropout" in other:
        other["keep_probability"] = 1 - float(other.pop("dropout"))
    if "hidden_units" in other:
        other["hidden_units"] = f"{_WIDTH_WORDS}{other['hidden_units']}"
    return other
