import numpy as np
import pytest

from models.head.evidence import Answers, Comparison
from models.training.strategies.choice import promise

_HALF = Answers(np.array([True, False]), np.array([0.1, 0.9]))


@pytest.mark.parametrize(
    ("gain", "least", "end"),
    [
        (0.02, 0.5, "against 50.0%"),
        (0.02, 0.9, "; not kept, as that takes 90%"),
        (-0.02, 0.5, "against 50.0%"),
        (-0.02, 0.1, "do not outweigh what was measured elsewhere"),
    ],
)
def test_it_says_why_where_what_promises_more_goes_and_what_promises_less_stays(gain, least, end):
    words = promise(Comparison(gain, error=0.04), _HALF, _HALF, "validation images", least)
    assert words.endswith(end)
