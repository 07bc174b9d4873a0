"""What the account of a search says of searches of which the truth is known: random ones."""

import statistics
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from models.history.collection import Entry, collect
from models.history.contribution import Contribution
from models.history.past_search import PastSearch
from models.oracles.warm.cold import ColdSearch
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.ensemble import COLD_PRIOR
from models.oracles.warm.explanation import Progress, explain
from models.oracles.warm.source_models import learn

RANDOM = Path(__file__).parents[4] / "random_searches"


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    """Random searches of 60 trials each."""
    return collect([("", RANDOM)]).entries


def told(entry: Entry, others: list[Entry], trials: int, best: bool = False) -> Contribution:
    """The account of the first trials of a random search, as if others had led it.

    With `best`, of its best trials in the order in which they were made.
    """
    past = PastSearch.from_history(entry.history, entry.name)
    encoder = SpaceEncoder(entry.history.header.space.to_hyperparameters())
    rows = np.sort(np.argsort(-past.scores)[:trials]) if best else np.arange(trials)
    points = np.array([encoder.encode(past.values[row]) for row in rows])
    scores = past.scores[rows]
    sources = [PastSearch.from_history(other.history, other.name) for other in others]
    cold = ColdSearch(encoder, seed=1)
    made_by: Literal["random"] = "random"
    progress = Progress((made_by,) * trials, tuple(scores.tolist()), points, scores)
    priors = np.full(len(sources), (1.0 - COLD_PRIOR) / max(len(sources), 1))
    own = cold.belief(points, scores)
    return explain(learn(sources, encoder), priors, encoder, cold, own, progress, 2.0)


@pytest.mark.parametrize("trials", [20, 60])
def test_random_trials_are_expected_to_come_as_far_as_they_came(
    entries: tuple[Entry, ...], trials: int
) -> None:
    off = []
    for entry in entries:
        expected = told(entry, [], trials).expected_random
        scores = [trial.score or 0.0 for trial in entry.history.completed[:trials]]
        assert list(expected) == sorted(expected)
        off.append(expected[-1] - max(scores))
    # The best of them lies some 0.05 above the median.
    assert abs(statistics.fmean(off)) < 0.005
    assert max(map(abs, off)) < 0.015


def test_a_search_that_went_at_random_is_said_to_have_saved_next_to_nothing(
    entries: tuple[Entry, ...],
) -> None:
    saved = []
    for entry in entries:
        given = told(entry, [other for other in entries if other is not entry][:2], trials=60)
        assert given.trials_saved is not None
        assert given.seconds_saved == 2.0 * given.trials_saved
        saved.append(given.trials_saved)
    assert statistics.median(saved) <= 6
    assert max(saved) <= 20


def test_a_source_that_is_believed_for_all_its_ranking_is_explained(
    entries: tuple[Entry, ...],
) -> None:
    """Among trials that are all good the order is luck, and says nothing against a source."""
    unlike = []
    for entry in entries:
        others = [other for other in entries if other is not entry]
        sources = told(entry, others, trials=8, best=True).sources
        unlike += [source for source in sources if "unlike" in source.words]
    kept = [source for source in unlike if source.weights[-1] > 0.5 * source.weights[0]]
    assert kept
    for source in unlike:
        assert ("how far apart it had expected them" in source.words) == (source in kept)
