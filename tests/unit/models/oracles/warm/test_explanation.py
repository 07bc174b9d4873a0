"""What the account of a search says of searches whose trials are known: random ones."""

from pathlib import Path

import numpy as np
import pytest

from models.history.collection import Entry, collect
from models.history.contribution import Contribution, Proposal
from models.history.past_search import PastSearch
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.ensemble import COLD_PRIOR
from models.oracles.warm.explanation import explain
from models.oracles.warm.past_model import PastModel

RANDOM = Path(__file__).parents[4] / "random_searches"


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    """Random searches of 60 trials each."""
    return collect([("", RANDOM)]).entries


def told(entry: Entry, others: list[Entry], trials: int) -> Contribution:
    """The account of the best trials of a random search in their order, as if others had led it."""
    past = PastSearch.from_history(entry.history, entry.name)
    encoder = SpaceEncoder(entry.history.header.space.to_hyperparameters())
    rows = np.sort(np.argsort(-past.scores)[:trials])
    points = np.array([encoder.encode(past.values[row]) for row in rows])
    scores = past.scores[rows]
    model = PastModel(
        [PastSearch.from_history(each.history, each.name) for each in others], encoder
    )
    priors = np.full(len(others), (1.0 - COLD_PRIOR) / len(others))
    proposals = [
        Proposal(order=order, origin="random", score=score)
        for order, score in enumerate(scores.tolist())
    ]
    predictions = model.by_source(encoder.features(points))
    return explain(model.sources, model.left_out, priors, predictions, scores, proposals)


def test_the_account_adds_up(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        others = [other for other in entries if other is not entry]
        gave = told(entry, others, trials=20)
        assert [source.name for source in gave.sources] == [other.name for other in others]
        shares = np.sum([source.weights for source in gave.sources], axis=0)
        assert shares + np.array(gave.cold_weights) == pytest.approx(np.ones(20))
        assert f"{1 - gave.cold_weights[-1]:.0%} of the weight" in gave.words


def test_a_source_that_is_believed_for_all_its_ranking_is_explained(
    entries: tuple[Entry, ...],
) -> None:
    """Among trials that are all good the order is luck, and says nothing against a source."""
    unlike = []
    for entry in entries:
        others = [other for other in entries if other is not entry]
        for trials in (6, 8, 10):
            sources = told(entry, others, trials).sources
            unlike += [source for source in sources if "unlike" in source.words]
    kept = [source for source in unlike if source.weights[-1] > 0.5 * source.weights[0]]
    assert kept
    for source in unlike:
        assert ("how far apart it had expected them" in source.words) == (source in kept)
