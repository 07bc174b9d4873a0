"""Photos of one thing on two sides: what is suspected, what is known, and what is left alone."""

import dataclasses
import re
import shlex
from typing import Any

import numpy as np
import pytest

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.groups import groups_of
from components.image_validator.duplicate_checks import check_duplicates
from components.image_validator.group_checks import check_groups
from components.image_validator.name_groups import suspect
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings
from models.data.near_duplicates import Appearance
from pipeline.config_file import parse_assignment

SETTINGS = ValidationSettings()
LETTERS = "abcdefgh"
CLASSES = ("cat", "dog", "hen")


def table(names: list[str], groups: list[str] | None = None, hashes: Any = None) -> ImageTable:
    """Images whose class is their folder, every fifth of them for the test."""
    count = len(names)
    plain = np.full(count, 0.5, np.float32)
    random = np.random.default_rng(0).integers(0, 2**63, count).astype(np.uint64)
    return ImageTable(
        split=np.array(["test" if row % 5 == 0 else "train" for row in range(count)], object),
        label=np.array(labels_of(names), object),
        name=np.array(names, object),
        sha256=np.array(names, object),
        group=np.array(groups or [""] * count, object),
        look=Appearance(random if hashes is None else hashes, plain, plain, plain, plain),
    )


def labels_of(names: list[str]) -> list[str]:
    return [name.split("/")[0] for name in names]


def named(pattern: str, things: int = 20, views: int = 4) -> list[str]:
    """Names of `things` in each class with `views` of each; the things of classes differ."""
    return [
        f"{label}/" + pattern.format(thing=number * things + thing, view=view, letter=LETTERS[view])
        for number, label in enumerate(CLASSES)
        for thing in range(things)
        for view in range(views)
    ]


def uuid(row: int) -> str:
    return f"{row * 7919:08x}-0a1b-4c2d-9e3f-{row * 104729:012x}"


def day(row: int) -> str:
    return f"2019-{1 + row % 12:02d}-0{1 + row % 9}"


GROUPED = {
    "patients": named("patient{thing}_{letter}.png"),
    "tiles": named("tile_{thing:02d}_{view:02d}.png"),
    "crops": named("IMG_{thing:04d}_crop{view}.jpg"),
    "plain crops": named("{thing}_{view}.jpg"),
    "tracks": named("{thing:05d}_{view:05d}.ppm", views=8),
    "roboflow": [
        f"{name}_jpg.rf.{row:032x}.jpg" for row, name in enumerate(named("img-{thing}", views=3))
    ],
    "augmented": [
        name + suffix
        for name in named("photo {thing}", views=1)
        for suffix in (".jpg", "_aug1.jpg", "_aug2.jpg", "_flipped.jpg")
    ],
    "copies": [
        name + suffix
        for name in named("IMG_{thing}", views=1)
        for suffix in (".jpg", " (1).jpg", " - Copy.jpg")
    ],
    "folders": named("obj{thing}/{view}.png"),
    "frames": named("video{thing}_frame{view}.png"),
    "frames of a letter": named("clip{thing}_f{view}.png"),
    "views of a letter": named("{thing}_v{view}.png"),
}


@pytest.mark.parametrize("kind", GROUPED)
def test_names_that_suggest_groups(kind: str) -> None:
    names = GROUPED[kind]
    found = suspect(names, labels_of(names))
    assert found is not None
    things = [re.findall(r"\d+", name)[0] for name in names]
    assert len(found.groups) == len(set(things))
    assert sum(map(len, found.groups.values())) == len(names)
    assert all(len({things[row] for row in rows}) == 1 for rows in found.groups.values())


@pytest.mark.parametrize(
    "names",
    [
        [f"{label}/{row:04d}.png" for label in CLASSES for row in range(99)],
        [f"{label}/IMG_{row}.jpg" for label in CLASSES for row in range(99)],
        [f"{label}/{label}.{row}.jpg" for label in CLASSES for row in range(99)],
        [f"{label}/{label} ({row}).jpg" for label in CLASSES for row in range(120)],
        [f"{label}/n0{len(label)}_{row}.JPEG" for label in CLASSES for row in range(99)],
        [f"{number}/{number}_{row}.png" for number in range(10) for row in range(30)],
        [f"{label}/{label}1_{row}.png" for label in CLASSES for row in range(99)],
        [f"{label}/batch{row % 5}_{row}.png" for label in CLASSES for row in range(99)],
        [f"{label}/front_view_{row}.png" for label in CLASSES for row in range(99)],
        [f"{label}/IMG_{day(row)}_{row:06d}.jpg" for label in CLASSES for row in range(99)],
        [f"{label}/{day(row)} {row}.jpg" for label in CLASSES for row in range(99)],
        [f"{label}/{uuid(row)}.jpg" for label in CLASSES for row in range(99)],
        [f"{label}/{row}_{label}.png" for label in CLASSES for row in range(99)],
        [f"Black_Bird/Black_Bird_{row:04d}_{796111 + row}.jpg" for row in range(99)],
        [f"{side}/{label}/{row}.png" for side in "ab" for label in CLASSES for row in range(99)],
        ["a/1.png", "b/2.png"],
        [],
    ],
)
def test_names_that_suggest_none(names: list[str]) -> None:
    assert suspect(names, [name.split("/")[-2] for name in names]) is None


@pytest.mark.parametrize("kind", GROUPED)
def test_the_finding_gives_the_line_that_mends_it(kind: str) -> None:
    names = GROUPED[kind]
    (finding,) = check_groups(table(names), SETTINGS)
    assert (finding.check, finding.severity) == ("groups_suspected", "warning")
    assert finding.count > 0
    option, assignment = shlex.split(finding.message.partition("graft run ")[2])
    key, pattern = parse_assignment(assignment)
    assert (option, key) == ("--set", "data.group")
    settings = IngestSettings(group=pattern)
    groups = groups_of(names, settings)
    (known,) = check_groups(table(names, groups), SETTINGS)
    assert known.check == "group_across_splits"
    assert known.count == finding.count


def test_groups_that_lie_on_one_side_are_no_finding() -> None:
    names = named("patient{thing}_{letter}.png", views=5)
    groups = [name.split("_")[0] for name in names]
    sides = ["test" if row // 5 % 4 == 0 else "train" for row in range(len(names))]
    for known in (groups, None):
        rows = dataclasses.replace(table(names, known), split=np.array(sides, object))
        assert check_groups(rows, SETTINGS) == []


def test_many_look_alikes_across_splits_suggest_groups() -> None:
    names = [f"{label}/{row}.png" for label in CLASSES for row in range(100)]
    hashes = np.random.default_rng(1).integers(0, 2**63, 300).astype(np.uint64)
    assert "groups_suspected" not in {
        one.check for one in check_duplicates(table(names, hashes=hashes), SETTINGS)
    }
    hashes[1:50:5] = hashes[0:50:5]
    found = {one.check: one for one in check_duplicates(table(names, hashes=hashes), SETTINGS)}
    assert found["groups_suspected"].count == 20
    assert "data.group" in found["groups_suspected"].message
    known = table(names, groups=["x"] * 300, hashes=hashes)
    assert "groups_suspected" not in {one.check for one in check_duplicates(known, SETTINGS)}
