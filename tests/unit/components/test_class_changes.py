import hashlib
from collections import Counter
from collections.abc import Iterable

import pytest

from components.class_changes import class_changes, exchanged, renamed
from components.image_register import ImageRegister


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def register(**classes: Iterable[int]) -> ImageRegister:
    rows = [(str(number), label) for label, images in classes.items() for number in images]
    return ImageRegister.of((digest(name), "train", label) for name, label in rows)


def changes(before: ImageRegister, after: ImageRegister):
    now = after.by_class()
    return class_changes(before.classes, Counter(now.values()), before, now)


def kinds(before: ImageRegister, after: ImageRegister) -> list[tuple]:
    return [(each.kind, each.before, each.after) for each in changes(before, after)]


BEFORE = register(boot=range(20), hat=range(20, 40))


def test_the_same_classes_are_no_change_whatever_their_images() -> None:
    assert kinds(BEFORE, register(boot=range(100, 103), hat=range(30))) == []


def test_a_class_whose_images_are_new_is_added_and_one_without_any_removed() -> None:
    after = register(boot=range(20), scarf=range(50, 60))
    assert kinds(BEFORE, after) == [("added", (), ("scarf",)), ("removed", ("hat",), ())]
    added, removed = changes(BEFORE, after)
    assert added.words == 'class "scarf" is new, with 10 images'
    assert removed.words == 'class "hat" has no image any more'
    assert (added.adds, removed.adds) == (True, False)


def test_a_class_whose_images_have_another_name_is_renamed() -> None:
    (change,) = changes(BEFORE, register(shoe=[*range(20), *range(80, 85)], hat=range(20, 40)))
    assert (change.kind, change.images, change.moved) == ("renamed", 25, 20)
    assert change.words == (
        'class "boot" is now class "shoe" (25 images, 20 of them known before under another name)'
    )


def test_two_names_that_change_places_with_new_ones_are_told_apart() -> None:
    after = register(shoe=range(20), cap=range(20, 40))
    assert kinds(BEFORE, after) == [
        ("renamed", ("boot",), ("shoe",)),
        ("renamed", ("hat",), ("cap",)),
    ]


def test_classes_that_exchanged_their_names_are_told_though_the_names_are_the_same() -> None:
    (change,) = changes(BEFORE, register(boot=range(20, 40), hat=[0, *range(1, 19), 60]))
    assert (change.kind, change.before, change.after) == (
        "exchanged",
        ("boot", "hat"),
        ("hat", "boot"),
    )
    assert change.words == (
        'classes exchanged their names: "boot" is now "hat", "hat" is now "boot" (40 images, 39 of '
        "them known before under another name)"
    )
    assert not change.adds
    assert (renamed([change]), exchanged([change])) == ({}, {"boot": "hat", "hat": "boot"})


def test_names_that_moved_on_by_one_are_told_beside_a_new_class() -> None:
    before = register(a=range(9), b=range(10, 19), c=range(20, 29), d=range(30, 39))
    after = register(a=range(20, 29), b=range(9), c=range(10, 19), d=range(30, 39), e=range(50, 59))
    assert kinds(before, after) == [
        ("added", (), ("e",)),
        ("exchanged", ("a", "b", "c"), ("b", "c", "a")),
    ]


@pytest.mark.parametrize(
    "after",
    [
        # Half of both classes mended, or one class sorted into the other and filled anew.
        register(boot=[*range(10), *range(20, 30)], hat=[*range(10, 20), *range(30, 40)]),
        register(boot=range(60, 80), hat=range(40)),
        # Of a span of other images, two that were mended.
        register(boot=[20, *range(100, 150)], hat=[0, *range(200, 250)]),
    ],
)
def test_mended_labels_are_no_exchange(after: ImageRegister) -> None:
    assert kinds(BEFORE, after) == []


@pytest.mark.parametrize("stays", [True, False])
def test_a_class_that_is_now_several_is_split(stays: bool) -> None:
    first = "boot" if stays else "low"
    after = register(**{first: range(12)}, high=range(12, 20), hat=range(20, 40))
    assert kinds(BEFORE, after) == [("split", ("boot",), tuple(sorted([first, "high"])))]


def test_classes_that_are_now_one_are_merged() -> None:
    (change,) = changes(BEFORE, register(boot=range(40), bag=range(60, 65)))[1:]
    assert (change.kind, change.before, change.after) == ("merged", ("boot", "hat"), ("boot",))
    assert not change.adds


def test_a_few_mended_labels_are_no_split() -> None:
    after = register(boot=range(1, 20), hat=range(20, 40), glove=[0, *range(70, 90)])
    assert kinds(BEFORE, after) == [("added", (), ("glove",))]


def test_without_a_memory_of_images_a_new_name_is_a_new_class() -> None:
    found = class_changes({"a", "b"}, {"a": 5, "c": 1, "b": 0})
    assert [each.words for each in found] == [
        'class "c" is new, with 1 image',
        'class "b" has no image any more',
    ]
