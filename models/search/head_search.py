"""One search for a head: from embeddings to the history of all trials."""

import hashlib
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras_tuner

from models.errors import GraftError
from models.head.head_trainer import HeadTrainer
from models.head.stopping import PATIENCE, SearchStopper
from models.history.contribution import Contribution
from models.history.past_search import PastSearch
from models.history.records import SearchDescription, TaskDescription, TrialRecord
from models.history.tuning_history import TuningHistory, new_history
from models.oracles.algorithms import build_oracle
from models.oracles.warm.warm_start_oracle import WarmStartOracle
from models.search.finalists import choose
from models.search.fold_evaluator import FoldEvaluator
from models.search.folds import FoldTrainers
from models.search.head_tuner import HeadTuner
from models.search.parallel_tuner import ParallelHeadTuner
from models.search.search_settings import SearchSettings
from models.search.trial_store import TrialStore
from models.search.worker_processes import Workers
from models.search.workers.served_search import TRIALS
from models.search.workers.served_tuner import ServingHeadTuner


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        history: every trial; at least one completed.
        hyperparameters: of the best trial, as Keras Tuner writes them.
        contribution: what earlier searches gave to it; None where the algorithm asks for none.
    """

    history: TuningHistory
    hyperparameters: keras_tuner.HyperParameters
    contribution: Contribution | None = None


def search_heads(
    trainer: HeadTrainer,
    description: TaskDescription,
    settings: SearchSettings,
    scratch: Path,
    *,
    seed: int = 0,
    patience: int = PATIENCE,
    past: Sequence[PastSearch] = (),
    oracle: keras_tuner.Oracle | None = None,
    code: str = "",
    name: str = "",
) -> SearchResult:
    """Searches for the head with the best validation score, and settles it among the finalists.

    Args:
        trainer: of the task.
        description: of the same task.
        settings: of the search.
        scratch: folder that finished trials are kept in, so that a killed search goes on. It may
            be shared by any number of searches.
        seed: of the search and of the training in it.
        patience: epochs without a better score after which a trial stops.
        past: earlier searches to learn from.
        oracle: proposes the trials, in place of the one that the settings name; its objective must
            be `models.oracles.algorithms.OBJECTIVE`, and its proposals must follow from its seed
            and the scores alone for a killed search to go on.
        code: digest of the training code; trials of other code are not taken over.
        name: of the data, for people.

    Raises:
        GraftError: not a single trial came out.
        UsageError: the address to serve at cannot be listened at.
    """
    space = settings.space
    if oracle is None:
        oracle = build_oracle(
            settings.algorithm,
            space,
            trials=settings.trials,
            seed=seed,
            past=past,
            task=description,
            cold_every=settings.cold_every,
        )
    search = settings.describe(seed=seed, patience=patience, class_weights=trainer.class_weights)
    directory = scratch / _key(description, search, code)
    store = TrialStore(directory / TRIALS)
    stopper = _search_stopper(oracle, settings)
    parts: _Parts = oracle, trainer, search, store, directory
    trainers = FoldTrainers(trainer, max(settings.repeats, 1), seed)
    with Workers(trainers, settings.parallel) as workers:
        tuner = _tuner(settings, parts, stopper=stopper, workers=workers, code=code)
        tuner.search()
        _require_one(tuner.records)
        folds = FoldEvaluator(trainers, search, store, workers)
        contest = choose(
            tuner.records,
            folds,
            finalists=settings.finalists,
            repeats=min(settings.repeats, len(trainers)),
            prepare=folds.prepare,
        )
    history = new_history(
        space,
        description,
        search,
        contest.trials,
        chosen=contest.chosen,
        ended=tuner.ended,
        name=name,
    )
    hyperparameters = space.to_hyperparameters()
    hyperparameters.values.update(history.trials[contest.chosen].values)
    contribution = None
    if settings.algorithm == "warm" and isinstance(oracle, WarmStartOracle):
        contribution = oracle.contribution(
            statistics.fmean(trial.seconds for trial in tuner.records)
        )
    return SearchResult(history, hyperparameters, contribution)


_Parts = tuple[keras_tuner.Oracle, HeadTrainer, SearchDescription, TrialStore, Path]


def _tuner(
    settings: SearchSettings,
    parts: _Parts,
    *,
    stopper: SearchStopper,
    workers: Workers,
    code: str,
) -> HeadTuner:
    directory = parts[-1]
    if settings.serve:
        journal = directory / f"journal-{settings.algorithm}.json"
        return ServingHeadTuner(
            *parts, stopper=stopper, address=settings.serve, journal=journal, code=code
        )
    if workers.count == 1:
        return HeadTuner(*parts, stopper=stopper)
    order = directory / f"order-{settings.algorithm}-{workers.count}.json"
    return ParallelHeadTuner(*parts, stopper=stopper, workers=workers, order=order)


def _search_stopper(oracle: keras_tuner.Oracle, settings: SearchSettings) -> SearchStopper:
    knows = isinstance(oracle, WarmStartOracle)
    return SearchStopper(
        oracle.expected_gain if knows else lambda: math.inf,
        settings.stop_search,
        fewest_trials=math.ceil(settings.trials / 2),
    )


def _require_one(trials: Sequence[TrialRecord]) -> None:
    if not any(trial.status == "completed" for trial in trials):
        reason = trials[-1].message if trials else "no trial was proposed"
        raise GraftError(f"None of {len(trials)} trials came out: {reason}")


def _key(description: TaskDescription, search: SearchDescription, code: str) -> str:
    """Digest of everything that an evaluation depends on, beside the trial's values."""
    training = search.model_dump(exclude={"algorithm"})
    # Sums over many rows differ in their last digits with where the rows lie in memory.
    figures = {name: f"{value:.6g}" for name, value in description.embedding}
    task = {**description.model_dump(), "embedding": figures}
    parts = json.dumps([task, training, code], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
