"""One search of one method on one task, made live and kept as JSON.

A finished search is found again by everything that it follows from: the task, the sources, the
regime, the seed, the number of trials and the method's code. One that failed is made anew the next
time.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import models.oracles.warm
from benchmarks.warm_start import methods
from benchmarks.warm_start.evaluate import Evaluator, Outcome
from benchmarks.warm_start.methods import IGNORE_THE_PAST, METHODS
from benchmarks.warm_start.methods.interface import Method, Problem, Proposal
from benchmarks.warm_start.methods.peers import PEERS
from benchmarks.warm_start.problem import EPOCHS, SPACE
from benchmarks.warm_start.regimes import apply_regime
from benchmarks.warm_start.tasks import Task
from models.history.past_search import PastSearch
from models.storage.atomic_write import write_atomically

_FIRST_SEED: Final = 1
"""Training seed of the first search; each search trains with one seed, as a user's does."""
_MOST_STEPS: Final = 20
"""Trainings for each whole trial, for methods that stop trainings early."""


@dataclass(frozen=True)
class Step:
    """One trial of a search.

    Attributes:
        score: on the validation images; None if it failed.
        test_score: of the head trained in this trial.
        test_accuracy: likewise.
        cost: in whole trials; below 1 for a training that was planned to end early.
        chosen: index of the step whose head the method would have handed over at this point.
        own_seconds: that the method took to propose the trial and to learn of its score.
        training_seconds: of the trial.
    """

    score: float | None
    test_score: float | None
    test_accuracy: float | None
    cost: float
    chosen: int
    own_seconds: float
    training_seconds: float


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        task: name.
        group: of the task.
        method: name.
        regime: name; "empty" for a method that looks at no past.
        seed: of the search and of its trainings, from 0.
        steps: its trials.
        start_seconds: that the method took before its first proposal.
        failure: what went wrong; empty if nothing did.
    """

    task: str
    group: str
    method: str
    regime: str
    seed: int
    steps: tuple[Step, ...] = ()
    start_seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be run on every task.

    Attributes:
        methods: names.
        regimes: names.
        seeds: how many searches of each method.
        trials: in each search.
    """

    methods: tuple[str, ...]
    regimes: tuple[str, ...]
    seeds: int
    trials: int

    def searches(self, seed: int) -> Iterator[tuple[int, str, str]]:
        """Seed, regime and method of every search with one seed."""
        for method in self.methods:
            for regime in ("empty",) if method in IGNORE_THE_PAST else self.regimes:
                yield seed, regime, method


@dataclass(frozen=True)
class Target:
    """A task that is searched on.

    Attributes:
        task: the task.
        evaluator: of the task.
        sources: histories of the tasks of other groups.
        whole_epochs: mean number of epochs that a training takes until it stops by itself.
    """

    task: Task
    evaluator: Evaluator
    sources: tuple[PastSearch, ...]
    whole_epochs: float


def run_file(cache: Path, target: Target, plan: Plan, search: tuple[int, str, str]) -> Path:
    """Where a search is kept."""
    _, regime, method = search
    sources = [] if regime == "empty" else [_digest_source(each) for each in target.sources]
    parts = [target.task.key, search, plan.trials, EPOCHS, sources, _digest_code(method)]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    return cache / "runs" / f"{target.task.name}-{method}-{regime}-{key}.json"


def read_run(path: Path) -> Run | None:
    """Reads a search; None if there is none."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    steps = tuple(Step(**step) for step in record.pop("steps"))
    return Run(steps=steps, **record)


def write_run(path: Path, run: Run) -> None:
    """Writes a search in one step."""
    write_atomically(path, json.dumps(asdict(run)).encode())


def make_run(target: Target, plan: Plan, search: tuple[int, str, str]) -> Run:
    """Runs one search. Whatever a method raises ends this search alone."""
    seed, regime, name = search
    described = {
        "task": target.task.name,
        "group": target.task.group,
        "method": name,
        "regime": regime,
        "seed": seed,
    }
    with tempfile.TemporaryDirectory() as scratch:
        problem = Problem(
            space=SPACE,
            sources=apply_regime(regime, target.sources, seed),
            task=target.task.description,
            trials=plan.trials,
            epochs=EPOCHS,
            seed=seed,
            scratch=Path(scratch),
        )
        try:
            started = time.perf_counter()
            method = METHODS[name](problem)
            start_seconds = time.perf_counter() - started
            try:
                steps = _search(method, target, plan.trials, _FIRST_SEED + seed)
            finally:
                method.close()
        except Exception as error:  # noqa: BLE001 — a method of anybody's may raise anything
            return Run(**described, failure=f"{type(error).__name__}: {error}")
    return Run(**described, steps=tuple(steps), start_seconds=start_seconds)


def _search(method: Method, target: Target, trials: int, training_seed: int) -> list[Step]:
    steps: list[Step] = []
    spent = 0.0
    while spent < trials - 1e-9 and len(steps) < _MOST_STEPS * trials:
        started = time.perf_counter()
        proposal = method.ask()
        own_seconds = time.perf_counter() - started
        if proposal is None:
            break
        outcome = target.evaluator.evaluate(proposal.values, training_seed, proposal.epochs)
        started = time.perf_counter()
        method.tell(outcome.score)
        own_seconds += time.perf_counter() - started
        cost = _cost(proposal, outcome, target.whole_epochs)
        spent += cost
        steps.append(
            Step(
                score=outcome.score,
                test_score=outcome.test_score,
                test_accuracy=outcome.test_accuracy,
                cost=cost,
                chosen=method.choose(),
                own_seconds=own_seconds,
                training_seconds=outcome.seconds,
            )
        )
    return steps


def _cost(proposal: Proposal, outcome: Outcome, whole_epochs: float) -> float:
    """A whole training counts 1, be it long or short; others by the epochs that they add."""
    if proposal.epochs == EPOCHS and not proposal.paid_epochs:
        return 1.0
    return max(0, outcome.epochs - proposal.paid_epochs) / whole_epochs


def _digest_source(source: PastSearch) -> str:
    parts = [source.name, source.values, source.scores.tolist()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest_code(method: str) -> str:
    digest = hashlib.sha256()
    for path in _code(method):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _code(method: str) -> Sequence[Path]:
    """The files that make a method what it is."""
    folder = Path(methods.__file__).parent
    if method in PEERS:
        scripts = folder.parent / "peers"
        return [folder / "peers.py", scripts / "wire.py", scripts / PEERS[method].script]
    if method == methods.AVERAGE_RANK:
        return [folder / "average_rank.py"]
    own = Path(models.oracles.warm.__file__).parent.glob("*.py")
    return [folder / "oracles.py", *(sorted(own) if method in (methods.WARM, methods.COLD) else ())]
