import datetime
from pathlib import Path

import pytest

from components.example_gen.sources.listing import resolve
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
    location = resolve(str(root / pattern))
    assert (location.path, location.span, location.version) == (str(root / newest[0]), *newest[1:])


def test_a_date_is_a_span_and_what_is_no_day_is_passed_over(tmp_path: Path) -> None:
    for name in ("20240229", "20230301", "20240230"):
        (tmp_path / name).mkdir()
    location = resolve(str(tmp_path / "{YYYY}{MM}{DD}"))
    days = (datetime.date(2024, 2, 29) - datetime.date(1970, 1, 1)).days
    assert (location.path, location.span) == (str(tmp_path / "20240229"), days)


def test_braces_that_are_no_placeholder_mean_themselves(tmp_path: Path) -> None:
    for name in ("{a}", "{SPAN", "{span}", "{SPAN:0}", "{SPAN}"):
        (tmp_path / name).mkdir()
        assert resolve(str(tmp_path / name)).path == str(tmp_path / name)
        assert has_placeholder(name) == (name == "{SPAN}")


@pytest.mark.parametrize(
    "pattern",
    ["{SPAN}/{SPAN}", "{VERSION}", "{YYYY}-{MM}", "{SPAN}/{YYYY}-{MM}-{DD}", "{VERSION}/{VERSION}"],
)
def test_placeholders_that_do_not_go_together_are_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(BadDataError, match=r"do not go together: expected \{SPAN\}, or"):
        resolve(str(tmp_path / pattern))
