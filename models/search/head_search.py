"""One search for a head: from embeddings to the history of all trials."""

import contextlib
import hashlib
import json
import logging
import math
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras_tuner

from models import progress
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
from models.search.folds import FoldTrainers
from models.search.head_tuner import HeadTuner
from models.search.search_settings import SearchSettings
from models.search.trial_runner import TrialRunner
from models.search.trial_store import TrialStore
from models.search.workers.search_server import LOOPBACK, SearchServer, serving
from models.search.workers.served_search import TRIALS, ServedSearch
from models.search.workers.worker_processes import WorkerProcesses

_log = logging.getLogger(__name__)


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
    trainers = FoldTrainers(trainer, max(settings.repeats, 1), seed)
    runner = TrialRunner(trainers, search, TrialStore(directory / TRIALS))
    tuner = HeadTuner(oracle, runner, directory, stopper=_search_stopper(oracle, settings))
    with contextlib.ExitStack() as stack:
        if settings.parallel > 1 or settings.serve:
            journal = directory / f"journal-{settings.algorithm}.json"
            others = _others(stack, settings, runner, trainer, directory, code)
            tuner.use_workers(*others, journal)
        tuner.search()
        _require_one(tuner.records)
        contest = choose(
            tuner.records,
            tuner.evaluate,
            finalists=settings.finalists,
            repeats=min(settings.repeats, len(trainers)),
            prepare=tuner.prepare,
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


def _others(
    stack: contextlib.ExitStack,
    settings: SearchSettings,
    runner: TrialRunner,
    trainer: HeadTrainer,
    directory: Path,
    code: str,
) -> tuple[SearchServer, WorkerProcesses | None]:
    """Serves the search, until the stack is closed, to processes of this machine and others."""
    processes = None
    if settings.parallel > 1:
        processes = WorkerProcesses(settings.parallel, directory, code, type(trainer))
        # Only after the farewell, which those that are idle follow by themselves.
        stack.callback(processes.kill)
    served = ServedSearch(
        mark=uuid.uuid4().hex,
        address=settings.serve or LOOPBACK,
        code=code,
        classes=trainer.task.classes,
        search=runner.search,
        folds=max(settings.repeats, 1),
    )
    server = stack.enter_context(serving(served, directory, trainer.task, runner.curves))
    if settings.serve:
        words = f"Other machines may join by: graft worker {directory.absolute()}"
        _log.info(words)
        progress.report(0, settings.trials, "trials", words, is_lasting=True)
    return server, processes


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
