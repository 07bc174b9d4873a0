"""What every reader of a source asks: is it ignored, which group is it of, does it lead out."""

import pytest

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.groups import groups_of
from components.example_gen.sources.ignored import ignored, is_ignored
from components.example_gen.sources.links import leaves_root
from components.example_gen.sources.user_pattern import found_in
from models.errors import UsageError


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        (("*_mask.png",), "cat/1_mask.png", True),
        (("*_mask.png",), "cat/1.png", False),
        (("masks/*",), "masks/deep/1.png", True),
        (("masks",), "masks/deep/1.png", True),
        (("masks/",), "masks", True),
        (("masks",), "masks2/1.png", False),
        (("*/masks",), "cat/masks/1.png", True),
        (("./cat/*",), "./cat/1.png", True),
        (("a.jpg", "b.jpg"), "b.jpg", True),
        (("a[b]?.jpg",), "a[b]c.jpg", False),
        (("a[[]b]?.jpg",), "a[b]c.jpg", True),
        (("*.jpg",), "new\\nline.jpg", True),
        ((), "cat/1.png", False),
    ],
)
def test_a_pattern_holds_for_a_path_and_for_all_below_a_folder(patterns, name, expected):
    settings = IngestSettings(ignore=patterns)
    assert is_ignored(name, settings) is expected
    line = ignored(name, settings)
    assert (line is not None) is expected
    if line:
        assert (line.fate, line.code) == ("passed_over", "ignored")


@pytest.mark.parametrize(
    ("pattern", "name", "group"),
    [
        (r"(patient\d+)_", "cat/patient12_a.png", "patient12"),
        (r"patient\d+", "cat/patient12_a.png", "patient12"),
        (r"(patient\d+)_", "cat/other.png", ""),
        (r"a|(b)", "cat/a.png", ""),
        ("", "cat/a.png", ""),
    ],
)
def test_the_first_bracket_or_the_whole_match_names_the_group(pattern, name, group):
    assert groups_of([name], IngestSettings(group=pattern)) == [group]


def test_a_pattern_that_would_never_end_is_given_up():
    with pytest.raises(
        UsageError, match=r"data\.group: the pattern '.*' was not done with 1 paths"
    ):
        found_in(["cat/" + "a" * 60 + ".png"], r"(([a-z]+)+)_", "data.group", seconds=1.0)


def test_a_group_that_is_no_pattern_is_named():
    with pytest.raises(ValueError, match=r"column of the manifest or a regular expression"):
        IngestSettings(group="(patient")


def test_where_links_lead(tmp_path):
    inside, outside = tmp_path / "data/cat", tmp_path / "data2"
    inside.mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "data")
    (inside / "in").symlink_to("../cat")
    (inside / "out").symlink_to("../../data2")
    root = str(tmp_path / "root")
    assert not leaves_root(str(inside / "in"), root)
    assert not leaves_root(f"{root}/cat/in", root)
    assert leaves_root(str(inside / "out"), root)
    assert leaves_root(f"{root}/cat/out/file.jpg", root)
    assert leaves_root("/etc", root)
