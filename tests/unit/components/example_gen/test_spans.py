import datetime
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError
from tensorflow.io import TFRecordWriter

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_locations, resolve
from components.example_gen.sources.spans import has_placeholder
from models.errors import BadDataError

STRANGE = "x [1] {a}*?%d\\'\"\n#"


@pytest.mark.parametrize(
    ("pattern", "there", "newest"),
    [
        ("day-{SPAN}", ["day-9", "day-10", "day-old", "day-"], ("day-10", 10, None)),
        ("{SPAN:2}/v{VERSION}", ["01/v9", "02/v1", "02/v10", "003/v1"], ("02/v10", 2, 10)),
        ("[a]*/{SPAN}.{x}?", ["[a]*/1.{x}?", "b/2.{x}?", "[a]*/3.xx"], ("[a]*/1.{x}?", 1, None)),
        ("{SPAN}/train", ["1/train", "2/test"], ("1/train", 1, None)),
        ("{SPAN}", ["1", str(10**30)], ("1", 1, None)),
    ],
)
def test_the_newest_is_found_and_placeholders_alone_are_no_letters(
    tmp_path: Path, pattern: str, there: list[str], newest: tuple[str, int, int | None]
) -> None:
    root = tmp_path / STRANGE
    for name in there:
        (root / name).mkdir(parents=True)
    (location,) = resolve(str(root / pattern))
    assert (location.path, location.span, location.version) == (str(root / newest[0]), *newest[1:])


def test_a_date_is_a_span_and_what_is_no_day_is_passed_over(tmp_path: Path) -> None:
    for name in ("20240229", "20230301", "20240230"):
        (tmp_path / name).mkdir()
    (location,) = resolve(str(tmp_path / "{YYYY}{MM}{DD}"))
    days = (datetime.date(2024, 2, 29) - datetime.date(1970, 1, 1)).days
    assert (location.path, location.span) == (str(tmp_path / "20240229"), days)


def test_braces_that_are_no_placeholder_mean_themselves(tmp_path: Path) -> None:
    for name in ("{a}", "{SPAN", "{span}", "{SPAN:0}", "{SPAN}"):
        (tmp_path / name).mkdir()
        assert resolve(str(tmp_path / name))[0].path == str(tmp_path / name)
        assert has_placeholder(name) == (name == "{SPAN}")


@pytest.mark.parametrize(
    "pattern",
    ["{SPAN}/{SPAN}", "{VERSION}", "{YYYY}-{MM}", "{SPAN}/{YYYY}-{MM}-{DD}", "{VERSION}/{VERSION}"],
)
def test_placeholders_that_do_not_go_together_are_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(BadDataError, match=r"do not go together: expected \{SPAN\}, or"):
        resolve(str(tmp_path / pattern))


def spans_of(root: Path, pattern: str, spans: str) -> list[str]:
    return [location.name for location in resolve(str(root / pattern), spans)]


@pytest.mark.parametrize(
    ("spans", "chosen"),
    [
        ("newest", ["day-12"]),
        ("all", ["day-1", "day-2", "day-10", "day-12"]),
        ("Last  3", ["day-2", "day-10", "day-12"]),
        ("last 99", ["day-1", "day-2", "day-10", "day-12"]),
        ("2..10", ["day-2", "day-10"]),
        ("10..", ["day-10", "day-12"]),
        ("..1", ["day-1"]),
        ("last 2 until 10", ["day-2", "day-10"]),
        ("newest until 9", ["day-2"]),
    ],
)
def test_a_window_of_spans_the_oldest_first(tmp_path: Path, spans: str, chosen: list[str]) -> None:
    for name in ("day-1", "day-2", "day-10", "day-12", "day-x"):
        (tmp_path / name).mkdir()
    assert spans_of(tmp_path, "day-{SPAN}", spans) == chosen


def test_a_window_of_dates_takes_the_newest_version_of_each(tmp_path: Path) -> None:
    for name in ("2026-11-01/v1", "20261102/v9", "20261102/v10", "2026-11-31/v1", "2026-12-01/v1"):
        (tmp_path / name).mkdir(parents=True)
    found = spans_of(tmp_path, "{DATE}/v{VERSION}", "2026-11-01..2026-11-30")
    assert found == ["2026-11-01/v1", "20261102/v10"]
    with pytest.raises(BadDataError, match="oldest is 2026-11-01/v1, the newest 2026-12-01/v1"):
        resolve(str(tmp_path / "{DATE}/v{VERSION}"), "..2026-10-31")


@pytest.mark.parametrize("pattern", ["{DATE}", "{YYYY}{MM}{DD}"])
def test_days_may_be_called_as_their_folders_are(tmp_path: Path, pattern: str) -> None:
    for name in ("20240228", "20240229", "20240301"):
        (tmp_path / name).mkdir()
    assert spans_of(tmp_path, pattern, "20240228..20240229") == ["20240228", "20240229"]
    assert spans_of(tmp_path, pattern, "newest until 20240229") == ["20240229"]
    assert spans_of(tmp_path, pattern, "2024-03-01..") == ["20240301"]
    with pytest.raises(BadDataError, match=r"'20230229\.\.': 20230229 is no day"):
        resolve(str(tmp_path / pattern), "20230229..")


def test_a_span_of_eight_digits_that_is_no_day_is_a_number(tmp_path: Path) -> None:
    for name in ("20240228", "20240299"):
        (tmp_path / name).mkdir()
    assert spans_of(tmp_path, "{SPAN}", "20240290..") == ["20240299"]


@pytest.mark.parametrize(
    ("pattern", "there"),
    [
        ("day-{SPAN}", ("day-7", "day-07")),
        ("{DATE}", ("2026-11-28", "20261128")),
        ("{SPAN}/v{VERSION}", ("7/v1", "7/v02", "7/v2")),
        ("{SPAN}/v{VERSION}", ("7/v2", "07/v2")),
    ],
)
def test_two_paths_of_one_span_are_refused(
    tmp_path: Path, pattern: str, there: tuple[str, ...]
) -> None:
    for name in there:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(BadDataError, match="one and the same span") as caught:
        resolve(str(tmp_path / pattern))
    assert all(name in str(caught.value) for name in there[-2:])


def test_two_paths_of_an_older_version_or_outside_the_window_do_no_harm(tmp_path: Path) -> None:
    for name in ("6/v1", "06/v1", "7/v1", "07/v1", "7/v2"):
        (tmp_path / name).mkdir(parents=True)
    assert spans_of(tmp_path, "{SPAN}/v{VERSION}", "newest") == ["7/v2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "last 0",
        "last",
        "9..3",
        "1...3",
        "2026-11-31..",
        "-1..2",
        "last 2 until",
        "all until 3",
    ],
)
def test_a_window_that_is_none_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValidationError, match=r"newest, all, .last 7., .last 7 until"):
        IngestSettings(spans=text)


def test_the_spans_of_a_window_are_one_source_with_names_of_their_own(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        for label in ("cat", "dog"):
            (tmp_path / f"day-{day}" / label).mkdir(parents=True)
            picture = tmp_path / f"day-{day}" / label / "a.jpg"
            Image.new("RGB", (8, 8), (day * 9, 0, 0)).save(picture)
    (tmp_path / "day-3" / "dog" / "notes.txt").write_text("x")
    (tmp_path / "day-4").mkdir()
    listing = list_locations(resolve(str(tmp_path / "day-{SPAN}"), "last 3"), IngestSettings())
    assert [file.name for file in listing.files] == [
        f"day-{day}/{label}/a.jpg" for day in (2, 3) for label in ("cat", "dog")
    ]
    left_out = {one.name: (one.code, one.fate) for one in listing.left_out}
    assert left_out["day-4"] == ("empty_span", "refused")
    assert left_out["day-3/dog/notes.txt"][1] == "passed_over"
    # A span that comes again is read from the memory of digests, and moves no other image.
    wider = list_locations(resolve(str(tmp_path / "day-{SPAN}"), "all"), IngestSettings())
    assert set(listing.files) < set(wider.files)


def test_spans_of_different_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "day-1" / "cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "day-1" / "cat" / "a.jpg")
    (tmp_path / "day-2").mkdir()
    with TFRecordWriter(str(tmp_path / "day-2" / "a.tfrecord")) as writer:
        writer.write(b"")
    locations = resolve(str(tmp_path / "day-{SPAN}"), "all")
    with pytest.raises(BadDataError, match="spans of one kind, found folder and tfrecord"):
        list_locations(locations, IngestSettings())
