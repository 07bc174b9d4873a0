"""Tests of the bets that some classes became rarer and others more frequent."""

from dataclasses import replace

import numpy as np
import pytest
from drifting_images import CLASSES, drawn, reference
from numpy.typing import NDArray

from monitoring.evidence import DriftEvidence, DriftSettings
from monitoring.evidence.class_shares import BETWEEN, STARTS, ClassShares
from monitoring.evidence.learned_bets import EVERY

HALVED = np.array([1, 2, 1, 2, 1, 2]) / 9
"""Every second class is half as frequent."""


def after(*parts: NDArray[np.int64], images: int = 300) -> ClassShares:
    """Bets by images that came in lots of `EVERY`."""
    shares = ClassShares(reference(images))
    for part in parts:
        for at in range(0, len(part), EVERY):
            shares.see(part[at : at + EVERY], growing=True)
            shares.learn()
    return shares


def parts(images: int, seed: int, shares: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    return ClassShares(reference(1)).of(drawn(images, seed, shares=shares))


def test_a_stake_is_the_same_on_average_over_which_of_all_images_comes_last():
    # Exact for any reference, however unlike the true shares it is: here one of six images.
    everything = parts(7, 3)
    shares = after(parts(256, 4, HALVED))
    won = []
    for last in range(len(everything)):
        shares.held = np.delete(everything, last, axis=0).sum(axis=0)
        won.append(shares.outcomes(everything[[last]], growing=True)[0])
    np.testing.assert_allclose(np.mean(won, axis=0), np.ones(STARTS), rtol=1e-12)
    assert np.std(won) > 0.05


@pytest.mark.parametrize("images", [20, 200])
def test_stakes_do_not_grow_while_nothing_changes_not_even_with_a_tiny_reference(images: int):
    ends, largest = [], []
    for seed in range(100):
        shares = ClassShares(reference(images, seed=seed))
        stream = parts(STARTS * BETWEEN // 2, 1_000 + seed)
        stakes = []
        for at in range(0, len(stream), EVERY):
            shares.learn()
            some = stream[at : at + EVERY]
            stakes.append(shares.outcomes(some, growing=True)[:, 0])
            shares.see(some, growing=True)
        path = np.cumprod(np.concatenate(stakes))
        ends.append(path[-1])
        largest.append(path.max())
    assert np.mean(ends) < 1 + 3 * np.std(ends) / 10
    assert np.mean(np.array(largest) >= 20) <= 0.05


def test_what_became_rarer_is_bet_to_stay_rarer_and_wins():
    shares = after(parts(400, 5))
    shares.begin(0)
    for at in range(0, 512, EVERY):
        shares.see(parts(512, 6, HALVED)[at : at + EVERY], growing=True)
    shares.learn()
    ratios = shares.ratios[0, :-1] / 1024
    assert (ratios[::2] < 0.95).all()
    assert (ratios[1::2] > 1.05).all()
    won = shares.outcomes(parts(400, 7, HALVED), growing=False)
    assert np.log(won[:, 0]).mean() > 0.01


def test_any_cut_gives_the_same_to_the_last_bit():
    shares, some = after(parts(320, 5, HALVED)), parts(32, 6)
    whole = shares.outcomes(some, growing=True)
    first = shares.outcomes(some[:13], growing=True)
    shares.see(some[:13], growing=True)
    rest = shares.outcomes(some[13:], growing=True)
    assert np.concatenate([first, rest]).tobytes() == whole.tobytes()


def test_an_image_whose_classes_the_log_does_not_name_is_no_news():
    answers = drawn(40, 8)
    ids = answers.top_ids.copy()
    ids[::2, 3:] = -1
    ids[1, 0] = len(CLASSES)
    shares = after(parts(320, 5, HALVED))
    seen = shares.of(replace(answers, top_ids=ids))
    unknown = np.arange(40) % 2 == 0
    unknown[1] = True
    assert (seen[unknown] == 0).all()
    assert (seen[~unknown, -1] == 1).all()
    assert (shares.outcomes(seen, growing=True)[unknown] == 1.0).all()


def test_of_many_classes_some_count_together():
    few = reference(100)
    many = tuple(f"class {number}" for number in range(1000))
    wide = np.zeros((100, 1000), np.float16)
    wide[:, ::170][:, : len(CLASSES)] = few.probabilities
    shares = ClassShares(replace(few, classes=many, probabilities=wide))
    assert shares.held.shape == (65,)
    assert shares.held[-1] == 100


def test_classes_that_are_half_as_frequent_are_told_and_named():
    evidence = DriftEvidence(reference(1000), DriftSettings())
    evidence.add(drawn(600, 2))
    assert not evidence.report().alarm
    evidence.add(drawn(320, 4, shares=HALVED, start=600.0))
    told = evidence.report().signals[0]
    assert (told.name, told.alarm) == ("class given", True)
    more, rarer = told.direction.split("; ")
    assert more.startswith("more frequent: class ")
    assert rarer.startswith("rarer: class ")
    assert told.direction.count("→") == 3
    assert not any(name in more for name in CLASSES[::2])
    assert told.since is not None
    assert told.since[0] <= 640.0


def test_images_of_no_class_are_called_so():
    answers = drawn(300, 3, start=300.0)
    strange = np.random.default_rng(0).random(300) < 0.3
    moved = answers.projections.astype(np.float64)
    moved[strange] += np.random.default_rng(1).normal(0.0, 3.0, (int(strange.sum()), 24))
    evidence = DriftEvidence(reference(), DriftSettings())
    evidence.add(drawn(300, 2))
    evidence.add(replace(answers, projections=moved.astype(np.float16)))
    named = {signal.name: signal for signal in evidence.report().signals if signal.alarm}
    assert "images that look like no class: 5% → " in named["distance to known images"].direction
