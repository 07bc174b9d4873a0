import pytest
from listed import put

from components.example_gen.sources.entries import (
    canonical_label,
    printable,
)
from components.example_gen.sources.listing import resolve
from models.errors import BadDataError


def test_composed_and_decomposed_accents_are_one_class():
    assert canonical_label("e\u0301te\u0301 ") == canonical_label("été")
    assert printable("tab\there") == "tab\\there"


@pytest.mark.parametrize("turns", ["\u202e", "\u202d", "\u202a", "\u2066", "\u2067", "\u2069"])
def test_what_turns_the_direction_of_a_line_is_written_out(turns: str) -> None:
    code = turns.encode("ascii", "backslashreplace").decode()
    assert canonical_label(f"{turns}gpj.cat") == f"{code}gpj.cat"
    # Letters of other directions, and what joins them, are the name itself.
    assert all(printable(name) == name for name in ("שלום", "می\u200cخواهم", "👩\u200d🔬"))


def test_the_newest_span_and_version_are_taken(tmp_path):
    for span, version in ((1, 1), (2, 1), (2, 10), (2, 9)):
        put(tmp_path, f"day-{span}/v{version}/cat/1.jpg")
    (location,) = resolve(str(tmp_path / "day-{SPAN}/v{VERSION}"))
    assert location.path == str(tmp_path / "day-2/v10")
    assert (location.span, location.version) == (2, 10)


@pytest.mark.parametrize("path", ["", "nowhere", "day-{SPAN}"])
def test_says_that_nothing_lies_there(tmp_path, path):
    with pytest.raises(BadDataError, match=r"No data was named|nothing at|No span"):
        resolve(path and str(tmp_path / path))
