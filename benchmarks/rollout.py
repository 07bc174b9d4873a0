"""How often the judge of a canary is right, on made requests.

Stable and canary answer made requests whose times are log-normal with heavy tails, under a load
that rises and falls for both; each stable has an error rate of its own of 0 to 1 %. Good canaries
are models trained apart: they err as often as the stable, on images of which some are the same.
Beside each user's request that the canary answers, the copy of one more goes to both, whose answer
no user sees. Reach: a bad canary is rolled back within 200 of its users' requests in 95 of 100
seeds, a good one (over 2,000 of them) in 5 at most.

    ./dev bench rollout --seeds 100
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# The benchmark of serving, beside this one, would hide the package of its name.
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != _HERE]
sys.path.insert(0, str(_HERE.parent))

import numpy as np  # noqa: E402

from serving.rollout.judge import Answer, Decision, Judge  # noqa: E402

_PAST = 4000


@dataclass(frozen=True)
class Canary:
    """How a canary differs from the stable.

    Attributes:
        errors: added to the stable's rate of errors.
        slower: factor on the time of each request.
        tail: factor on the time of one request in ten.
        wrong: share of the classes whose names are mixed up.
        constant: it gives one class to all images.
    """

    errors: float = 0.0
    slower: float = 1.0
    tail: float = 1.0
    wrong: float = 0.0
    constant: bool = False


CANARIES = {
    "good": Canary(),
    "wrong labels": Canary(wrong=1.0),
    "half of the labels wrong": Canary(wrong=0.5),
    "one class for all": Canary(constant=True),
    "10 times slower": Canary(slower=10.0),
    "2 times slower": Canary(slower=2.0),
    "10 times slower in 1 of 10": Canary(tail=10.0),
    "5 % errors": Canary(errors=0.05),
    "20 % errors": Canary(errors=0.2),
}


class World:
    """Requests of one seed."""

    def __init__(self, seed: int, canary: Canary) -> None:
        self._random = np.random.default_rng(seed)
        self._canary = canary
        draw = self._random.uniform
        self._errors = draw(0.0, 0.01)
        self._spread = draw(0.3, 0.8)
        self._period = draw(300, 3000)
        self._swing = draw(0.0, 0.7)
        self._wrong_answers = draw(0.02, 0.25)
        self._overconfidence = draw(0.5, 1.0)
        self._common = draw(0.2, 0.7)
        self._classes = int(self._random.integers(2, 20))
        self._time = 0

    def request(self, from_canary: bool) -> tuple[bool, float]:
        """Whether a request fails, and its seconds."""
        random, canary = self._random, self._canary
        self._time += 1
        load = 1 + self._swing * np.sin(2 * np.pi * self._time / self._period)
        seconds = 0.02 * load**2 * random.lognormal(0.0, self._spread)
        if random.random() < 0.02:
            seconds *= 1 + random.pareto(1.5)
        rate = self._errors
        if from_canary:
            rate = max(rate, canary.errors)
            seconds *= canary.slower
            if random.random() < 0.1:
                seconds *= canary.tail
        return bool(random.random() < rate), float(seconds)

    def pair(self) -> tuple[Answer | None, Answer | None]:
        """What stable and canary say to a copy."""
        differs, doubt = self._difference()
        answers = Answer("a", 1 - doubt), Answer("b" if differs else "a", 1 - doubt)
        stable, canary = (
            None if self.request(from_canary)[0] else answer
            for from_canary, answer in zip((False, True), answers, strict=True)
        )
        return stable, canary

    def _difference(self) -> tuple[bool, float]:
        """Whether the classes for an image differ, and the stable's doubt."""
        random, canary = self._random, self._canary
        # How hard an image is, is common to both; which of the hard ones err, in part.
        hard = random.beta(0.3, 0.3 * (1 / self._wrong_answers - 1))
        shared, own, other = random.random(3)
        stable_errs = (shared if shared < self._common else own) < hard
        canary_errs = (shared if shared < self._common else other) < hard
        differs = stable_errs != canary_errs
        if stable_errs and canary_errs:
            differs = bool(random.random() < 0.5 * (self._classes > 2))
        if random.random() < canary.wrong:
            differs = True
        if canary.constant:
            differs = bool(random.random() < 1 - 1 / self._classes)
        highest = 1 - 1 / self._classes
        return differs, float(min(hard * self._overconfidence, highest))


def outcome(seed: int, canary: Canary, share: float, most: int) -> tuple[Decision, int]:
    """The decision on a canary, and after how many of its requests it fell."""
    world, judge = World(seed, canary), Judge()
    random = np.random.default_rng([seed, 1])
    for _ in range(_PAST):
        judge.past(*world.request(from_canary=False))
    answered = 0
    while answered < most:
        from_canary = bool(random.random() < share)
        judge.request(from_canary, *world.request(from_canary), share)
        if from_canary:
            answered += 1
            judge.pair(*world.pair())
            if (decision := judge.verdict().decision) is not Decision.GO_ON:
                return decision, answered
    return Decision.GO_ON, answered


def table(seeds: int, share: float, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """A row for each canary: rolled back in how many of 100 seeds, and after how many requests."""
    rows = {}
    for name, canary in CANARIES.items():
        most = 2000 if canary == Canary() else 200
        found = [outcome(seed, canary, share, most) for seed in range(seeds)]
        back = [count for decision, count in found if decision is Decision.ROLL_BACK]
        promoted = [count for decision, count in found if decision is Decision.PROMOTE]
        rows[name] = {
            "rolled_back_of_100": 100 * len(back) / seeds,
            "median_requests": float(np.median(back)) if back else float("nan"),
            "promoted_of_100": 100 * len(promoted) / seeds,
            "median_until_promoted": float(np.median(promoted)) if promoted else float("nan"),
        }
        say(json.dumps({"canary": name, **rows[name]}))
    return rows


def main() -> None:
    """Prints the table, a line of JSON for each canary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.1, help="of the canary")
    options = parser.parse_args()
    table(options.seeds, options.share, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
