import numpy as np
import pytest

from monitoring.accuracy.confidence_sequence import ShareSoFar


def test_holds_the_truth_at_all_times_at_once_even_where_the_chance_changes():
    random = np.random.default_rng(0)
    chances = np.concatenate([np.full(300, 0.95), np.full(300, 0.6)])
    means = np.cumsum(chances) / np.arange(1, 601)
    missed, fixed = 0, 0
    for _ in range(80):
        hits = np.cumsum(random.random(600) < chances)
        shares = [ShareSoFar(int(hits[at]), at + 1) for at in range(9, 600, 30)]
        pairs = list(zip(shares, means[9::30], strict=True))
        missed += any(share.log_evidence(mean) > np.log(20) for share, mean in pairs)
        fixed += any(
            abs(share.hits / share.images - mean) > 1.96 * (mean * (1 - mean) / share.images) ** 0.5
            for share, mean in pairs
        )
    assert missed <= 4
    # An interval for one moment, looked at all the time, is what this is not.
    assert fixed > 12


def test_ends_are_where_the_evidence_reaches_its_limit_and_close_in():
    share = ShareSoFar(450, 500)
    low, high = share.interval()
    for end in (low, high):
        assert share.log_evidence(end) == pytest.approx(np.log(20), abs=1e-6)
    assert low < 0.9 < high
    assert high - low < 0.1
    wider = share.interval(0.001)
    assert wider[0] < low
    assert high < wider[1]


@pytest.mark.parametrize(("hits", "images"), [(0, 0), (0, 1), (1, 1), (0, 40), (40, 40)])
def test_few_images_and_the_ends_make_no_trouble(hits, images):
    low, high = ShareSoFar(hits, images).interval()
    assert 0.0 <= low <= (hits / images if images else 0.0)
    assert (hits / images if images else 1.0) <= high <= 1.0


def test_more_hits_than_images_are_refused():
    with pytest.raises(ValueError, match="3 hits of 2 images"):
        ShareSoFar(3, 2)
