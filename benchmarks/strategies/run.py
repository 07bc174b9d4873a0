"""What does each strategy of transfer gain in the situation that it is for, and what does it cost?

    ./dev bench strategies/run --tasks ../shared/data/clothing ../shared/data/signdigits

A task is any folder that Graft reads; it is embedded once. Situations: few labelled images a class,
the same beside images without labels, and images of another domain. What was measured is kept in
the cache folder, so that a run that was broken off goes on.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.domains import target_situations
from benchmarks.strategies.few_labels import few_labels, unlabelled_beside

_DRAWS = 2000

Situation = Callable[[int], Mapping[str, float]]
"""Of a seed: the accuracy of each strategy; the first is the one without any."""


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--only", default="", help="beginning of the situations' names")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(arguments.cache / "results.jsonl")
    figures: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for task in arguments.tasks:
        embedded = embed_set(task, arguments.size, arguments.cache)
        for name, situation in _situations(embedded, arguments.size, arguments.cache):
            if not name.startswith(arguments.only):
                continue
            for seed in range(arguments.seeds):
                key = f"{embedded.name} {arguments.size} {name} {seed}"
                accuracies = kept.get(key, partial(situation, seed))
                first = next(iter(accuracies.values()))
                for strategy, accuracy in accuracies.items():
                    pairs = figures.setdefault(name, {}).setdefault(strategy, [])
                    pairs.append((accuracy, accuracy - first))
    print(table(figures))


class Kept:
    """Results by name, in a file with a JSON object a line."""

    def __init__(self, file: Path) -> None:
        """Reads what is there."""
        self._file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self._known = dict(map(json.loads, lines))

    def __contains__(self, key: str) -> bool:
        """Whether it was measured."""
        return key in self._known

    def get(self, key: str, measure: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
        """The result of that name, which is measured if there is none."""
        if key not in self._known:
            self._known[key] = dict(measure())
            with self._file.open("a") as file:
                file.write(json.dumps([key, self._known[key]]) + "\n")
            print(f"  {key}", file=sys.stderr, flush=True)
        return self._known[key]


def _situations(data: Embedded, size: int, cache: Path) -> Iterator[tuple[str, Situation]]:
    yield from few_labels(data)
    yield from unlabelled_beside(data)
    yield from target_situations(data, size, cache)


def table(figures: Mapping[str, Mapping[str, list[tuple[float, float]]]]) -> str:
    """A row for each situation and strategy, with the gain over the first and its interval."""
    lines = [
        "| situation | strategy | accuracy | gain, points [95 %] | worst |",
        "|---|---|---|---|---|",
    ]
    for situation, strategies in figures.items():
        for strategy, pairs in strategies.items():
            accuracies, gains = np.array(pairs).T
            lines.append(
                f"| {situation} | {strategy} | {accuracies.mean():.3f} | {interval(gains)} | "
                f"{100 * gains.min():+.1f} |"
            )
    return "\n".join(lines)


def interval(gains: NDArray[np.floating]) -> str:
    """The mean of some gains in points, with its interval by a bootstrap over them."""
    draws = np.random.default_rng(0).choice(gains, (_DRAWS, len(gains))).mean(axis=1)
    low, high = 100 * np.quantile(draws, (0.025, 0.975))
    return f"{100 * gains.mean():+.1f} [{low:+.1f}, {high:+.1f}]"


if __name__ == "__main__":
    main()
