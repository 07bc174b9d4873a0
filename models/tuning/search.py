"""One search for a head: from embeddings to the history of all trials."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import keras_tuner

from models.errors import GraftError
from models.tuning.head_trainer import HeadTrainer
from models.tuning.history import TuningHistory, new_history
from models.tuning.oracles import build_oracle
from models.tuning.records import SearchDescription, TaskDescription
from models.tuning.settings import SearchSettings
from models.tuning.tuner import HeadTuner


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        history: every trial; at least one completed.
        hyperparameters: of the best trial, as Keras Tuner writes them.
    """

    history: TuningHistory
    hyperparameters: keras_tuner.HyperParameters


def search_heads(
    trainer: HeadTrainer,
    description: TaskDescription,
    settings: SearchSettings,
    scratch: Path,
    *,
    oracle: keras_tuner.Oracle | None = None,
    code: str = "",
    name: str = "",
) -> SearchResult:
    """Searches for the head with the best validation score.

    Args:
        trainer: of the task.
        description: of the same task.
        settings: of the search.
        scratch: folder that finished trials are kept in, so that a killed search goes on. It may
            be shared by any number of searches.
        oracle: proposes the trials, in place of the one that the settings name; its objective must
            be `models.tuning.oracles.OBJECTIVE`, and its proposals must follow from its seed and
            the scores alone for a killed search to go on.
        code: digest of the training code; trials of other code are not taken over.
        name: of the data, for people.

    Raises:
        GraftError: not a single trial came out.
        UsageError: the settings make no sense.
    """
    space = settings.space
    if oracle is None:
        oracle = build_oracle(settings.algorithm, space, trials=settings.trials, seed=settings.seed)
    search = settings.describe()
    directory = scratch / _key(description, search, code)
    tuner = HeadTuner(oracle, trainer, search, directory)
    tuner.search()
    history = new_history(space, description, search, tuple(tuner.records), name=name)
    best = history.best
    if best is None:
        reason = history.trials[-1].message if history.trials else "no trial was proposed"
        raise GraftError(f"None of {len(history.trials)} trials came out: {reason}")
    hyperparameters = space.to_hyperparameters()
    hyperparameters.values.update(best.values)
    return SearchResult(history, hyperparameters)


def _key(description: TaskDescription, search: SearchDescription, code: str) -> str:
    """Digest of everything that an evaluation depends on, beside the trial's values."""
    training = search.model_dump(exclude={"algorithm"})
    parts = json.dumps([description.model_dump(), training, code], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
