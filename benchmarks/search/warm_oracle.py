"""How soon `WarmStartOracle` finds what is good: replayed on tables of whole trainings.

    ./dev bench search/warm_oracle [--curves DIR …] [--seeds 2] [--methods warm cold …] [--out DIR]

Each task is searched on with the others as its past (leave one out). The tables are those of small
networks (`small_networks.py`), and of each DIR the best scores of its curves (`tables.py`). Only
what stands in a table can be tried. Relative regret is (best - found) / (best - median), at most 1.

Each search is kept in `--cache`, by all that it follows from: the same command goes on after a
kill. Writes `warm.md` into `--out`.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from scipy.spatial.distance import cdist
from sklearn.ensemble import ExtraTreesRegressor

import models.oracles.warm
from benchmarks.search import small_networks
from benchmarks.search.report import ratio
from benchmarks.search.tables import read_tables
from models.curves.learning_curve import CurveTask, Floats
from models.history.past_search import PastSearch
from models.history.search_space import Value, Values
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.past_model import normal_scores
from models.oracles.warm.warm_start_oracle import WarmStartOracle
from models.storage.atomic_write import write_atomically

TRIALS = 25
_SHOWN = (1, 2, 5, 10, 15, 25)
_ROWS = 150
_RANKED = 8
"""Trials by the past's average ranking, before the cold search goes on with them."""

_FEW_SOURCES, _FEW_TRIALS = 3, 20
_MOST_CHOICES = 20


@dataclass(frozen=True)
class Situation:
    """A task to search on, and what came before.

    Attributes:
        space: of all tasks.
        table: the task.
        past: the others.
        seed: of the search.
    """

    space: keras_tuner.HyperParameters
    table: PastSearch
    past: Sequence[PastSearch]
    seed: int

    def draw(self, *of: int) -> np.random.Generator:
        """Random numbers that follow from the seed."""
        return np.random.default_rng([self.seed, *of])


class _TableEncoder(SpaceEncoder):
    """A space in which there is nothing but the rows of a table."""

    def __init__(self, space: keras_tuner.HyperParameters, table: PastSearch) -> None:
        super().__init__(space)
        self.rows = np.array([self.encode(values) for values in table.values])
        self._features = self.features(self.rows)
        known = zip(self.rows[::-1], table.values[::-1], strict=True)
        self._values = {row.tobytes(): values for row, values in known}

    def snap(self, points: Floats) -> Floats:
        return self.rows[cdist(self.features(points), self._features).argmin(axis=1)]

    def decode(self, point: Floats) -> Values:
        return dict(self._values[point.tobytes()])


class _Replayed(WarmStartOracle):
    """The oracle on a table."""

    def __init__(self, table: PastSearch, *args: Any, **kwargs: Any) -> None:
        super().__init__(keras_tuner.Objective("score", "max"), TRIALS, *args, **kwargs)
        self._table = table

    def _encode_space(self) -> SpaceEncoder:
        return _TableEncoder(self.hyperparameters, self._table)


Method = Callable[[Situation], list[float]]
"""Scores of the trials of a search, in order."""


def _random(situation: Situation) -> list[float]:
    return situation.draw(0).permutation(situation.table.scores)[:TRIALS].tolist()


def _order(situation: Situation) -> Any:
    """Rows of the table by the mean of what all tasks of the past came to there."""
    encoder = _TableEncoder(situation.space, situation.table)
    rows = [encoder.encode(values) for each in situation.past for values in each.values]
    scores = np.concatenate([normal_scores(each.scores) for each in situation.past])
    forest = ExtraTreesRegressor(100, min_samples_leaf=3, random_state=situation.seed)
    forest.fit(encoder.features(np.array(rows)), scores)
    return np.argsort(-forest.predict(encoder.features(encoder.rows)), kind="stable")


def _ranked(situation: Situation) -> list[float]:
    return situation.table.scores[_order(situation)[:TRIALS]].tolist()


def _ranked_then_cold(situation: Situation) -> list[float]:
    first = [dict(situation.table.values[row]) for row in _order(situation)[:_RANKED]]
    return _search(situation, (), first)


def _warm(change: Callable[[Situation], Sequence[PastSearch]], cold_every: int = 4) -> Method:
    return lambda situation: _search(situation, change(situation), cold_every=cold_every)


def _search(
    situation: Situation, past: Sequence[PastSearch], first: Sequence[Values] = (), **options: Any
) -> list[float]:
    table = situation.table
    scores = {
        _key(values): float(score) for values, score in zip(table.values, table.scores, strict=True)
    }
    with tempfile.TemporaryDirectory() as folder:
        oracle = _Replayed(
            table,
            past,
            first=first,
            seed=situation.seed + 1,
            hyperparameters=situation.space,
            **options,
        )
        oracle._set_project_dir(folder, "search")
        oracle.verbose = 0
        found = []
        while (trial := oracle.create_trial("tuner")).status == "RUNNING":
            found.append(scores[_key(trial.hyperparameters.values)])
            oracle.update_trial(trial.trial_id, {"score": found[-1]})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    return found


def _key(values: Mapping[str, Value]) -> str:
    return repr(sorted(values.items()))


def _true(situation: Situation) -> Sequence[PastSearch]:
    return situation.past


def _inverted(situation: Situation) -> Sequence[PastSearch]:
    return [PastSearch(each.name, each.values, -each.scores) for each in situation.past]


def _permuted(situation: Situation) -> Sequence[PastSearch]:
    return [
        PastSearch(each.name, each.values, situation.draw(1, number).permutation(each.scores))
        for number, each in enumerate(situation.past)
    ]


def _half_inverted(situation: Situation) -> Sequence[PastSearch]:
    return [*situation.past[::2], *_inverted(situation)[1::2]]


def _few(situation: Situation) -> Sequence[PastSearch]:
    """Some trials of some tasks only."""
    chosen = situation.draw(2).permutation(len(situation.past))[:_FEW_SOURCES]
    searches = []
    for number in chosen:
        each = situation.past[number]
        rows = situation.draw(3, number).permutation(len(each.scores))[:_FEW_TRIALS]
        values = tuple(each.values[row] for row in rows)
        searches.append(PastSearch(each.name, values, each.scores[rows]))
    return searches


METHODS: Mapping[str, tuple[str, Method]] = {
    "random": ("random", _random),
    "cold": ("cold: no past", _warm(lambda _: ())),
    "ranked": ("average ranking of the past", _ranked),
    "ranked-cold": (f"that for {_RANKED} trials, then cold", _ranked_then_cold),
    "warm": ("**warm**", _warm(_true)),
    "few": (f"warm, {_FEW_TRIALS} trials of {_FEW_SOURCES} searches", _warm(_few)),
    "half": ("warm, every other search upside down", _warm(_half_inverted)),
    "inverted": ("warm, all upside down", _warm(_inverted)),
    "permuted": ("warm, all permuted", _warm(_permuted)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    options = _parser().parse_args(arguments)
    tasks = [_networks(options)] + [_curves(folder) for folder in options.curves]
    text = "\n\n".join(_measure(*each, options) for each in tasks) + "\n"
    write_atomically(options.out / "warm.md", text.encode())
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--curves", nargs="*", type=Path, default=[], metavar="DIR", help="more tables")
    add("--seeds", type=int, default=2, help="on each task")
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    add("--rows", type=int, default=_ROWS, help="of each table of small networks")
    add("--cache", type=Path, default=Path("benchmarks/out/search/cache/warm"))
    add("--out", type=Path, default=Path("benchmarks/out/search"))
    return parser


Family = tuple[str, keras_tuner.HyperParameters, Sequence[PastSearch]]
"""Title, space and tasks."""


def _networks(options: argparse.Namespace) -> Family:
    tables = small_networks.tables(options.cache / "tables", options.rows)
    return "Small networks", small_networks.space(), tables


def _curves(folder: Path) -> Family:
    tables = [_best_scores(task) for task in read_tables([folder])]
    space = keras_tuner.HyperParameters()
    for name in dict.fromkeys(name for each in tables for row in each.values for name in row):
        seen = {row[name] for each in tables for row in each.values if name in row}
        numbers = sorted(value for value in seen if not isinstance(value, str))
        texts = sorted(value for value in seen if isinstance(value, str))
        if len(texts or numbers) > 1:
            _register(space, name, texts or numbers)
    return folder.name, space, tables


def _best_scores(task: CurveTask) -> PastSearch:
    scores = np.array([curve.best() for curve in task.curves])
    return PastSearch(task.name, tuple(dict(curve.values) for curve in task.curves), scores)


def _register(space: keras_tuner.HyperParameters, name: str, values: Sequence[Any]) -> None:
    if isinstance(values[0], str) or len(values) <= _MOST_CHOICES:
        space.Choice(name, list(values))
        return
    is_wide = values[0] > 0 and values[-1] / values[0] >= 100
    space.Float(name, values[0], values[-1], sampling="log" if is_wide else "linear")


def _measure(
    title: str,
    space: keras_tuner.HyperParameters,
    tables: Sequence[PastSearch],
    options: argparse.Namespace,
) -> str:
    """Makes the searches on the tasks of a family, or finds them, and tells what they came to."""
    regrets = {}
    for method in options.methods:
        lines = []
        for table in tables:
            past = [each for each in tables if each is not table]
            kept = [
                _kept(method, Situation(space, table, past, seed), options.cache)
                for seed in range(options.seeds)
            ]
            lines.append(np.mean([_regret(table.scores, scores) for scores in kept], axis=0))
        regrets[method] = np.array(lines)
        print(f"{title}: {method}", file=sys.stderr)
    columns = ["", *map(str, _SHOWN), "mean", "of cold"]
    rows = [columns, ["---"] * len(columns)]
    for method, own in regrets.items():
        shown = [f"{own[:, trial - 1].mean():.3f}" for trial in _SHOWN]
        against = ""
        if "cold" in regrets and method != "cold":
            against = "{:.2f} [{:.2f}, {:.2f}]".format(*ratio(own, regrets["cold"]))
        rows.append([METHODS[method][0], *shown, f"{own.mean():.3f}", against])
    head = f"### {title} ({len(tables)} tasks, seeds: {options.seeds})"
    return "\n".join([head, "", *(f"| {' | '.join(row)} |" for row in rows)])


def _kept(method: str, situation: Situation, cache: Path) -> list[float]:
    """The scores of a search, made or found."""
    past = [(each.name, each.values, each.scores.tolist()) for each in situation.past]
    table = situation.table.values, situation.table.scores.tolist()
    files = [Path(__file__), *Path(models.oracles.warm.__path__[0]).glob("*.py")]
    code = [path.read_bytes() for path in sorted(files)]
    key = repr((method, situation.seed, table, past, code))
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    if not path.exists():
        write_atomically(path, json.dumps(METHODS[method][1](situation)).encode())
    return json.loads(path.read_text())


def _regret(scores: Floats, found: Sequence[float]) -> Floats:
    """After each trial, float64 [trials]."""
    best, median = scores.max(), np.median(scores)
    reached = np.maximum.accumulate([*found, *[found[-1]] * (TRIALS - len(found))])
    return np.clip((best - reached) / max(best - median, 1e-12), 0.0, 1.0)


if __name__ == "__main__":
    sys.exit(main())
