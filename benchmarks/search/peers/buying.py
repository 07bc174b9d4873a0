"""What a tool of others is told of a replay, and how it buys epochs; needs Python alone.

A tool that cannot live beside TFX runs in an environment of its own. `asking.py` starts it there,
and both write a line of JSON at a time: an offer, and then what is bought and what came of it. So
no tool sees more of a curve than it bought, and none does the replay's arithmetic itself.
"""

import dataclasses
import json
import logging
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | float
ANSWER = "answer: "
"""Lines begin with it, as some tools print what they like."""
SECONDS = "seconds"
"""Logarithm of the seconds of the first epoch. It is one more hyperparameter, so that a tool is
told what Graft's search is told."""


@dataclass(frozen=True)
class Table:
    """A data set that was searched on before.

    Attributes:
        figures: of the data set, by name.
        configurations: values by the name of the hyperparameter.
        scores: of each configuration, the best so far after each epoch.
        seconds: of each configuration, of each epoch.
    """

    figures: dict[str, float]
    configurations: list[dict[str, Any]]
    scores: list[list[float]]
    seconds: list[list[float]]


@dataclass(frozen=True)
class Offer:
    """What a search begins with.

    Attributes:
        figures: of the data set, by name.
        configurations: that can be bought.
        seconds: of the first epoch of each.
        most: epochs of a full training.
        seed: of the search.
        past: other data sets; none for tools that learn from none.
    """

    figures: dict[str, float]
    configurations: list[dict[str, Any]]
    seconds: list[float]
    most: int
    seed: int
    past: list[Table]


class OverError(Exception):
    """The budget is spent."""


Buy = Callable[[int, int], list[float]]
"""Buys a configuration, by its number, up to so many epochs. Gives the best score so far after each
of them, at least one; fewer than asked for where the curve broke off. Raises `OverError`."""
Search = Callable[[Offer, Buy], None]


class Space:
    """The configurations as points of a space that any tool can describe.

    Attributes:
        numbers: hyperparameters whose values have an order, with all their values.
        texts: the others, likewise.
        seconds: least and greatest.
        points: each configuration, with its seconds.
    """

    def __init__(self, offer: Offer) -> None:
        self._absent = {
            name: {name in each for each in _all(offer)} == {True, False} for name in _names(offer)
        }
        known = [self._point(each) for each in _all(offer)]
        kinds = {name: sorted({each[name] for each in known}) for name in self._absent}
        kinds = {name: values for name, values in kinds.items() if len(values) > 1}
        self.numbers = {name: all_ for name, all_ in kinds.items() if _are_numbers(all_)}
        self.texts = {name: all_ for name, all_ in kinds.items() if name not in self.numbers}
        firsts = [*offer.seconds, *(each[0] for table in offer.past for each in table.seconds)]
        self.seconds = (math.log(min(firsts)), math.log(max(firsts)) + 1e-9)
        self.points = [
            self.point(each, cost)
            for each, cost in zip(offer.configurations, offer.seconds, strict=True)
        ]

    def point(self, configuration: Mapping[str, Any], seconds: float) -> dict[str, Value]:
        """A configuration in this space."""
        whole = self._point(configuration)
        return {name: whole[name] for name in [*self.numbers, *self.texts]} | {
            SECONDS: math.log(seconds)
        }

    def nearest(self, point: Mapping[str, Any], among: Iterable[int]) -> int:
        """The nearest of some configurations, by their numbers."""
        return min(among, key=lambda each: self._distance(point, self.points[each]))

    def _point(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        # What not every configuration has is a text, of which absence is one.
        return {
            name: str(configuration.get(name, "absent")) if absent else _plain(configuration[name])
            for name, absent in self._absent.items()
        }

    def _distance(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        low, high = self.seconds
        costs = abs(one[SECONDS] - other[SECONDS]) / (high - low)
        texts = sum(one[name] != other[name] for name in self.texts)
        return (
            costs
            + texts
            + sum(
                abs(values.index(one[name]) - values.index(other[name])) / (len(values) - 1)
                for name, values in self.numbers.items()
            )
        )


def serve(searches: Mapping[str, Search], version: str) -> None:
    """Searches as `asking.py` tells through the standard streams, until it closes them."""
    logging.disable(logging.ERROR)

    def say(answer: Any) -> None:
        print(f"\n{ANSWER}{json.dumps(answer)}", flush=True)

    def buy(candidate: int, stop: int) -> list[float]:
        say({"candidate": int(candidate), "stop": int(stop)})
        scores = json.loads(sys.stdin.readline())
        if scores is None:
            raise OverError
        return scores

    say({"version": version})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            searches[asked["search"]](offer_from(asked["offer"]), buy)
        except OverError:
            continue
        say({"candidate": None, "stop": 0})


def offer_from(read: dict[str, Any]) -> Offer:
    """An offer as it was before JSON."""
    return Offer(**{**read, "past": [Table(**each) for each in read["past"]]})


def as_json(offer: Offer) -> dict[str, Any]:
    """An offer for JSON."""
    return dataclasses.asdict(offer)


def _all(offer: Offer) -> list[dict[str, Any]]:
    return offer.configurations + [each for table in offer.past for each in table.configurations]


def _names(offer: Offer) -> list[str]:
    return sorted({name for each in _all(offer) for name in each})


def _plain(value: Any) -> Value:
    return value if isinstance(value, str) else float(value)


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(each, float) for each in values)
