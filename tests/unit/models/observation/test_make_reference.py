"""Tests of what a reference is made of."""

import numpy as np
import pytest

from models.observation.make_reference import (
    drawn,
    drawn_by_class,
    fitted_temperature,
    principal_directions,
)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3.0, size=(20_000, 5))
    labels = (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=1).astype(np.int32)
    exact = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (exact / exact.sum(axis=1, keepdims=True)).astype(np.float32)
    assert fitted_temperature(probabilities, labels) == pytest.approx(temperature, rel=0.05)


def test_without_an_image_answers_are_taken_as_they_are():
    assert fitted_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int32)) == 1.0


def test_projections_have_unit_variance_and_the_widest_come_first():
    rng = np.random.default_rng(0)
    spreads = np.array([9.0, 4.0, 1.0, 0.1])
    embeddings = (rng.normal(size=(500, 4)) * spreads + 7.0).astype(np.float32)
    centre, directions = principal_directions(embeddings, 3)
    projected = (embeddings - centre) @ directions
    np.testing.assert_allclose(projected.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(projected.std(axis=0, ddof=1), 1.0, rtol=1e-3)
    assert np.abs(directions).argmax(axis=0).tolist() == [0, 1, 2]
    assert centre.dtype == directions.dtype == np.float32


def test_directions_in_which_nothing_differs_are_left_out():
    embeddings = np.outer(np.arange(9), [1.0, 2.0, 3.0]).astype(np.float32)
    assert principal_directions(embeddings, 64)[1].shape == (3, 1)
    centre, directions = principal_directions(np.ones((5, 3), np.float32), 64)
    assert np.isfinite(directions).all()
    assert directions.shape == (3, 1)
    assert centre.tolist() == [1.0, 1.0, 1.0]


def test_the_same_images_are_drawn_each_time():
    digests = [f"{n:02x}" for n in np.random.default_rng(0).permutation(100)]
    assert drawn(digests, 7) == drawn(digests[::-1], 7)
    assert len(drawn(digests, 7)) == 7
    assert drawn(digests[:3], 7) == set(digests[:3])


def test_of_each_class_as_many_are_drawn_where_it_has_them():
    digests = [f"{n:02x}" for n in range(60)]
    labels = ["often"] * 50 + ["seldom"] * 8 + ["once"] * 2
    found = drawn_by_class(digests, labels, 18)
    assert [sum(d in found for d in digests[a:b]) for a, b in ((0, 50), (50, 58), (58, 60))] == [
        *[8, 8, 2]
    ]
