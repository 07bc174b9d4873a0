"""Activations in files of different lengths, and two splits as one."""

from itertools import pairwise

import numpy as np

from models.training.activations import Activations


def shards(*lengths: int, start: int = 0) -> Activations:
    """Two views of images that say their number, the second with a minus before it."""
    ends = np.cumsum([start, *lengths])
    numbers = [np.arange(*border, dtype=np.float16) for border in pairwise(ends)]
    return Activations(
        [np.stack([each, -each])[..., None] for each in numbers], np.arange(sum(lengths))
    )


def test_two_splits_are_read_as_one():
    both = shards(3, 2).joined(shards(3, 1, start=5))
    assert len(both) == 9
    assert both.classes.tolist() == list(range(9))
    images, views = np.array([8, 0, 5, 4, 3]), np.array([0, 1, 1, 0, 1])
    assert both.rows(images, views).ravel().tolist() == [8, 0, -5, 4, -3]
    assert both.all().ravel().tolist() == list(range(9))
