from typing import Any

import pytest
from pydantic import ValidationError

from models.history.contribution import Contribution, LeftOut, Proposal, SourceContribution

CONTRIBUTION = Contribution(
    sources=(
        SourceContribution(
            name="clothing, 2026-11-21",
            trials=50,
            shared_parameters=6,
            weights=(0.5, 0.1 + 0.2),
            rank_agreement=-0.25,
            dropped_after=2,
            words="It ranked no better than chance.",
        ),
    ),
    left_out=(LeftOut(name="alt", reason="no parameter in common"),),
    cold_weights=(0.5, 0.7),
    proposals=(
        Proposal(order=0, origin="portfolio", score=0.8),
        Proposal(order=1, origin="cold", score=None),
    ),
    expected_random=(0.6, 0.7),
    trials_saved=9,
    seconds_saved=12.5,
    words="One earlier search saved about nine trials.",
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cold_weights": [0.5, 1.5]}, "less than or equal to 1"),
        ({"cold_weights": [0.5]}, "clothing, 2026-11-21 has 2 weights, the search itself 1"),
        ({"seconds_saved": -1.0}, "seconds_saved"),
        ({"expected_random": [float("nan")]}, "expected_random.0"),
        ({"proposals": [{"order": 0, "origin": "oracle"}]}, "proposals.0.origin"),
        ({"proposals": [{"order": 4, "origin": "cold"}]}, "trial 4 in the place of 0"),
        ({"left_out": [{"name": "a"}]}, "left_out.0.reason"),
        ({"words": "x" * 2000}, "words"),
    ],
)
def test_values_that_lie_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Contribution.model_validate(CONTRIBUTION.model_dump() | changes)
