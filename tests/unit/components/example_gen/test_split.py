from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from components.example_gen.group_split import bundle_names
from components.example_gen.shares import Shares, place_of
from components.example_gen.split import assign_splits, missing_shares
from models.data.example_schema import TEST, TRAIN, VALIDATION

BOTH = Shares(validation=0.15, test=0.15)


@dataclass(frozen=True)
class Image:
    sha256: str
    label: str
    split: str | None = None
    group: str = ""


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
@pytest.mark.parametrize("share", [0.1, 0.45])
def test_three_images_are_enough_for_every_split(count, share, seed):
    counts = Counter(sides(images("a", count), Shares(share, share), seed).values())
    assert set(counts) == {TRAIN, VALIDATION, TEST}


def test_without_a_validation_split_one_image_is_left_to_train_on():
    found = [sides(images("a", 3), Shares(0.0, 0.6), seed) for seed in range(20)]
    tests = {Counter(each.values())[TEST] for each in found}
    assert tests == {1, 2}


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


def grouped(
    label: str, groups: int, size: int, prefix: str = "", split: str | None = None
) -> list[Image]:
    """Images of `groups` things, `size` of each."""
    return [
        replace(image, group=f"{prefix or label}{number // size}")
        for number, image in enumerate(images(label, groups * size, split=split))
    ]


def sides_of_groups(found: dict[Image, str]) -> dict[str, set[str]]:
    by_group: dict[str, set[str]] = {}
    for image, side in found.items():
        by_group.setdefault(image.group or image.sha256, set()).add(side)
    return by_group


@pytest.mark.parametrize("seed", range(5))
def test_a_group_lies_on_one_side_and_classes_keep_their_shares(seed):
    pool = [*grouped("a", 40, 5), *grouped("b", 25, 8), *images("c", 100)]
    found = sides(pool, seed=seed)
    assert all(len(both) == 1 for both in sides_of_groups(found).values())
    counts = Counter((image.label, side) for image, side in found.items())
    for label, total in (("a", 200), ("b", 200), ("c", 100)):
        for split in (TEST, VALIDATION):
            assert abs(counts[label, split] / total - 0.15) <= 0.05, (label, split)


@pytest.mark.parametrize("seed", range(5))
def test_a_group_may_hold_several_classes(seed):
    pool = [image for label in "abcd" for image in grouped(label, 20, 4, prefix="patient")]
    found = sides(pool, seed=seed)
    by_group = sides_of_groups(found)
    assert len(by_group) == 20
    assert all(len(both) == 1 for both in by_group.values())
    assert set(Counter(found.values())) == {TRAIN, VALIDATION, TEST}
    assert {(image.label, side) for image, side in found.items()} == {
        (label, side) for label in "abcd" for side in (TRAIN, VALIDATION, TEST)
    }


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_every_class_is_trained_and_three_groups_are_enough_for_every_split(groups, seed):
    pool = [*grouped("a", groups, 30), *grouped("b", 20, 5)]
    found = sides(pool, seed=seed)
    expected = {TRAIN} if groups < 3 else {TRAIN, VALIDATION, TEST}
    assert {side for image, side in found.items() if image.label == "a"} == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        # All begin in training, above 0.4: the lowest is nearest to the test split.
        (0.45, 1.0, [TEST, VALIDATION, *[TRAIN] * 8]),
        # All begin in the test split, below 0.2: the highest are nearest to the others.
        (0.0, 0.2, [*[TEST] * 3, *[TRAIN] * 6, VALIDATION]),
    ],
)
def test_the_groups_that_lie_nearest_cross_the_border(low, high, expected):
    def place(image: Image) -> float:
        (name,) = bundle_names([image])
        return place_of(name, 0)

    alone = [replace(image, group=image.sha256[:8]) for image in images("e", 400)]
    pool = sorted([image for image in alone if low < place(image) < high][:10], key=place)
    found = sides(pool, Shares(validation=0.2, test=0.2))
    assert [found[image] for image in pool] == expected


def test_what_groups_and_equal_bytes_bind_stays_together():
    first, second = grouped("a", 30, 2), grouped("a", 30, 2, prefix="other")
    chain = [replace(image, label="b", group=f"link{n // 7}") for n, image in enumerate(first)]
    pool = [*first, *second, *chain, *images("b", 40)]
    found = assign_splits(pool, BOTH, 3)
    where: dict[str, set[str]] = {}
    for image, side in zip(pool, found, strict=True):
        where.setdefault(image.sha256, set()).add(side)
        where.setdefault(image.group or image.sha256, set()).add(side)
    assert all(len(both) == 1 for both in where.values())


def test_order_does_not_count_for_groups_and_added_groups_hardly_move_the_others():
    pool = [image for label in "abc" for image in grouped(label, 100, 3)]
    before = sides(pool)
    assert before == sides(pool[::-1])
    after = sides([image for label in "abc" for image in grouped(label, 120, 3)])
    moved = sum(after[image] != side for image, side in before.items())
    assert moved <= 0.03 * len(before)


def test_in_a_users_split_groups_are_carved_from_training_whole():
    pool = grouped("a", 40, 5, split=TRAIN) + images("a", 30, start=1000, split=TEST)
    found = sides(pool, missing_shares({TRAIN, TEST}, validation=0.2, test=0.2))
    assert all(len(both) == 1 for both in sides_of_groups(found).values())
    counts = Counter(found.values())
    assert counts[TEST] == 30
    assert 30 <= counts[VALIDATION] <= 50


@pytest.mark.parametrize("group", ["", "of all"])
def test_what_is_kept_stays_in_the_test_split_whatever_the_seed(group: str) -> None:
    pool = [*images("a", 60), *images("b", 60)]
    tested = {image.sha256 for image, side in sides(pool, seed=1).items() if side == TEST}
    later = [*pool, *images("a", 40, start=60)]
    if group:
        later = [replace(image, group=f"g{number // 2}") for number, image in enumerate(later)]
    plain = assign_splits(later, BOTH, 2)
    found = assign_splits(later, BOTH, 2, tested)
    kept = [side for image, side in zip(later, found, strict=True) if image.sha256 in tested]
    assert set(kept) == {TEST}
    assert found != plain
    assert 0.12 <= found.count(TEST) / len(later) <= 0.32
    assert found.count(VALIDATION) >= 10


def test_a_class_of_kept_images_alone_has_nothing_to_learn_from() -> None:
    pool = [*images("a", 40), *images("few", 2)]
    found = assign_splits(pool, BOTH, 0, {image.sha256 for image in images("few", 2)})
    assert found[-2:] == [TEST, TEST]


def test_nothing_is_kept_where_the_data_has_a_test_split_of_its_own() -> None:
    pool = [*images("a", 40, split=TRAIN), *images("a", 9, start=40, split=TEST)]
    shares = missing_shares({TRAIN, TEST}, 0.15, 0.15)
    kept = {image.sha256 for image in images("a", 40)}
    assert assign_splits(pool, shares, 0, kept)[:40].count(TEST) == 0
