from dataclasses import replace

import numpy as np
import pytest
from served_digits import ServedDigits, served_digits
from sklearn.metrics import roc_auc_score

from monitoring.accuracy.second_opinion import SecondOpinions
from monitoring.accuracy.sets import sets_by_strength
from monitoring.accuracy.traits import seen_in_log


@pytest.fixture(scope="module")
def served() -> ServedDigits:
    return served_digits()


def test_they_tell_wrong_answers_from_right_ones_better_than_confidence(served):
    grain = np.random.default_rng(1).normal(0.0, 100.0, served.pictures.shape)
    pictures = np.clip(served.pictures + grain, 0, 255).astype(np.uint8)
    observed = served.observe(pictures)
    right = observed.class_ids == served.labels
    seen = seen_in_log(observed, served.reference.temperature)
    opinions = SecondOpinions(served.reference).of(seen)
    by_confidence = roc_auc_score(right, seen.confidences)
    for lead in (opinions[:, 0], opinions[:, 4]):
        assert roc_auc_score(right, lead) > by_confidence + 0.05


def test_a_picture_is_judged_by_classifiers_that_know_no_view_of_it(served):
    reference = served.reference
    assert reference.stressed is not None
    held_out, worse = reference.labels.copy(), reference.stressed.labels.copy()
    views = np.arange(len(worse)) % len(held_out) == 3
    held_out[3] = worse[views] = (held_out[3] + 1) % 10
    other = replace(reference, labels=held_out, stressed=replace(reference.stressed, labels=worse))
    given = np.zeros(len(held_out) + len(worse), np.int32)
    before, after = (SecondOpinions(each).of_reference(given) for each in (reference, other))
    own = np.concatenate([np.arange(len(held_out)) == 3, views])
    np.testing.assert_allclose(after[own], before[own], atol=1e-6)
    assert np.abs(after[~own] - before[~own]).max() > 1e-3


def test_without_stress_and_with_a_class_that_has_no_image_they_say_something(served):
    rows = served.reference.labels != 4
    known = served.reference.anchor_labels != 4
    reference = replace(
        served.reference,
        stressed=None,
        anchors=served.reference.anchors[known],
        anchor_labels=served.reference.anchor_labels[known],
        **{
            name: getattr(served.reference, name)[rows]
            for name in ("projections", "probabilities", "signals", "labels")
        },
        digests=tuple(np.array(served.reference.digests)[rows].tolist()),
        names=tuple(np.array(served.reference.names)[rows].tolist()),
    )
    opinions = SecondOpinions(reference)
    of_reference = opinions.of_reference(reference.labels)
    assert of_reference.shape == (rows.sum(), 8)
    assert (of_reference[:, 0] > 0).mean() > 0.8
    observed = served.observe(served.pictures)
    seen = seen_in_log(observed, reference.temperature)
    assert np.isfinite(opinions.of(seen)).all()


def test_sets_are_of_one_change_and_of_nearly_the_same_strength():
    random = np.random.default_rng(0)
    changes, strengths = random.integers(0, 5, 600), random.random(600).astype(np.float32)
    sets = sets_by_strength(changes, strengths)
    assert sorted(set(sets.tolist())) == list(range(sets.max() + 1))
    for number in range(sets.max() + 1):
        rows = sets == number
        assert len(set(changes[rows].tolist())) == 1
        assert 18 <= rows.sum() <= 30
        between = (strengths >= strengths[rows].min()) & (strengths <= strengths[rows].max())
        assert (sets[between & (changes == changes[rows][0])] == number).all()
