"""The plan of the splits where images are in groups."""

from collections import Counter
from hashlib import sha256

import pytest

from components.example_gen.ingest import Source, ingest_source
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.shards import ShardResult
from components.example_gen.sources.entries import LabelledImage, LeftOut, Listing
from components.example_gen.split_plan import Plan, plan_splits
from models.errors import BadDataError

GROUPED = IngestSettings(group="(.)")


def images(label: str, groups: str) -> list[LabelledImage]:
    """One image a letter, which is its group."""
    names = [f"{label}/{number}{group}" for number, group in enumerate(groups)]
    return [
        LabelledImage("", name, label, None, sha256(name.encode()).hexdigest(), (1, 1, 1), 1)
        ._replace(group=f"{label}{name[-1]}")
        for name in names
    ]  # fmt: skip


def test_no_second_plan_where_groups_are_too_few_for_every_split() -> None:
    """A class of two groups is in training alone from the start: refusals did not do that."""
    plan = plan_splits([*images("a", "xxxyyy"), *images("b", "uvwxyz")], GROUPED, 0)
    labels = {split: Counter(one.label for one in found) for split, found in plan.splits.items()}
    assert labels["train"]["a"] == 6
    assert not plan.lacks_small_class([])
    assert not plan.lacks_small_class([LeftOut("a/0x", "empty", "")])


def test_a_second_plan_where_refusals_took_a_class_out_of_a_split() -> None:
    plan = plan_splits([*images("a", "uvwxyz"), *images("b", "uvwxyz")], GROUPED, 0)
    refused = [LeftOut(one.name, "empty", "") for one in plan.splits["test"] if one.label == "a"]
    assert refused
    assert plan.lacks_small_class(refused)
    assert not plan.lacks_small_class([])


def test_a_pattern_without_groups_is_named() -> None:
    plain = [one._replace(group="") for one in [*images("a", "xyz"), *images("b", "xyz")]]
    with pytest.raises(BadDataError, match=r"matches none of the 6 paths, such as 'a/0x'"):
        plan_splits(plain, IngestSettings(group="patient"), 0)


def test_too_few_groups_for_the_splits_are_counted() -> None:
    pool = [*images("a", "xxxx"), *images("b", "yyyy")]
    with pytest.raises(BadDataError, match=r"3 different images, or groups of them,.*2 groups"):
        plan_splits(pool, GROUPED, 0)


def test_what_an_earlier_model_was_tested_on_is_left_out_of_a_training_split_of_the_datas_own() -> (
    None
):
    own = [
        one._replace(split="test" if number < 3 else "train", group="")
        for number, one in enumerate([*images("a", "uvwxyzst"), *images("b", "uvwxyzst")])
    ]
    listing = Listing("folder", "/photos", (), (), "")
    kept = {own[0].sha256, own[5].sha256}
    plans: list[Plan] = []

    def write(plan: Plan) -> ShardResult:
        plans.append(plan)
        return ShardResult()

    done = ingest_source(Source(listing, tuple(own), ()), IngestSettings(), 0, write, kept)
    assert [(one.name, one.code, one.fate) for one in done.left_out] == [
        (own[5].name, "was_test", "passed_over")
    ]
    assert "data.keep_test: false" in done.left_out[0].reason
    names = [one.name for images in plans[-1].splits.values() for one in images]
    assert sorted(names) == sorted(one.name for one in own if one != own[5])
