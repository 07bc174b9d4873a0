"""How a sample is split over the classes."""

import pytest

from components.backbone_chooser.sample import allocate


@pytest.mark.parametrize(
    ("counts", "total", "shares"),
    [
        ([10, 20, 30], 60, [10, 20, 30]),
        ([10, 20, 30], 99, [10, 20, 30]),
        ([100, 200, 300], 60, [10, 20, 30]),
        ([50, 50, 50], 100, [34, 33, 33]),
        ([1000, 1], 20, [19, 1]),
        ([1, 1, 1, 1], 2, [1, 1, 1, 1]),
    ],
)
def test_every_class_has_its_share_and_at_least_one(
    counts: list[int], total: int, shares: list[int]
) -> None:
    assert allocate(counts, total) == shares
