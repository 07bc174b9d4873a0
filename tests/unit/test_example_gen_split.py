from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from components.example_gen.split import Shares, assign_splits, missing_shares
from models.features import TEST, TRAIN, VALIDATION

BOTH = Shares(validation=0.15, test=0.15)


@dataclass(frozen=True)
class Image:
    sha256: str
    label: str
    split: str | None = None


def images(label: str, count: int, start: int = 0, split: str | None = None) -> list[Image]:
    return [
        Image(sha256(f"{label}/{number}".encode()).hexdigest(), label, split)
        for number in range(start, start + count)
    ]


def sides(pool: list[Image], shares: Shares = BOTH, seed: int = 0) -> dict[Image, str]:
    return dict(zip(pool, assign_splits(pool, shares, seed), strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_every_class_keeps_its_shares(seed):
    pool = [
        one for label, count in (("a", 40), ("b", 200), ("c", 1000)) for one in images(label, count)
    ]
    counts = Counter((image.label, side) for image, side in sides(pool, seed=seed).items())
    for label, total in (("a", 40), ("b", 200), ("c", 1000)):
        for split in (TEST, VALIDATION):
            assert abs(counts[label, split] / total - 0.15) <= 0.031


def test_order_and_names_do_not_count():
    pool = images("a", 50) + images("b", 50)
    assert sides(pool) == sides(pool[::-1])


def test_another_seed_gives_another_split():
    pool = images("a", 100)
    assert sides(pool, seed=1) != sides(pool, seed=2)


def test_added_images_hardly_move_the_others():
    labels = [str(number) for number in range(10)]
    before = sides([one for label in labels for one in images(label, 200)])
    after = sides([one for label in labels for one in images(label, 240)])
    moved = sum(after[image] != side for image, side in before.items())
    assert moved <= 0.01 * len(before)


def test_adding_a_class_moves_nothing():
    before = sides(images("a", 100))
    after = sides(images("a", 100) + images("b", 100))
    assert all(after[image] == side for image, side in before.items())


@pytest.mark.parametrize("count", [3, 4, 5, 8])
@pytest.mark.parametrize("seed", range(8))
def test_three_images_are_enough_for_every_split(count, seed):
    counts = Counter(sides(images("a", count), Shares(0.45, 0.45), seed).values())
    assert set(counts) == {TRAIN, VALIDATION, TEST}


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_all_go_to_training(count):
    assert set(sides(images("a", count)).values()) == {TRAIN}


def test_identical_bytes_fall_on_one_side_even_under_two_labels():
    pool = images("a", 100)
    copies = [replace(image, label="b") for image in pool[:30]]
    everything = pool + copies + pool
    found = assign_splits(everything, BOTH, 0)
    by_content: dict[str, set[str]] = {}
    for image, side in zip(everything, found, strict=True):
        by_content.setdefault(image.sha256, set()).add(side)
    assert all(len(both) == 1 for both in by_content.values())
    assert {TRAIN, VALIDATION, TEST} == set(found)


def test_the_users_split_is_kept_and_only_what_it_lacks_is_carved():
    pool = images("a", 100, split=TRAIN) + images("a", 30, start=100, split=TEST)
    shares = missing_shares({TRAIN, TEST}, validation=0.2, test=0.2)
    assert shares == Shares(validation=0.2, test=0.0)
    found = sides(pool, shares)
    assert all(found[image] == TEST for image in pool[100:])
    counts = Counter(found[image] for image in pool[:100])
    assert counts[TEST] == 0
    assert 16 <= counts[VALIDATION] <= 24
    whole = missing_shares({TRAIN, TEST, VALIDATION}, 0.2, 0.2)
    assert set(sides(images("a", 50, split=TRAIN), whole).values()) == {TRAIN}
