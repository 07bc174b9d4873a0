import pytest
from hypothesis import given, strategies as st

from components.schema_curator.label_domain import with_labels
from components.schema_curator.schema import known_labels, parse_schema
from models.errors import UsageError

MINE = r"""# of the shop
feature { name: "label" type: BYTES domain: "label" }  # our own
string_domain {
  name: "label"
  # shoes
  value: "boot"  # winter
  value: "gone"
}
string_domain { name: "format" value: "png" }
"""


def test_only_the_values_change_and_comments_stay() -> None:
    expected = MINE.replace('  value: "gone"\n', '  value: "hat"\n')
    assert with_labels(MINE.encode(), ["hat", "boot"], "s.pbtxt") == expected


@pytest.mark.parametrize(
    "schema",
    [
        'feature { name: "label" type: BYTES }',
        'feature { name: "label" type: BYTES string_domain { value: "x" } }',
        'feature { name: "label" type: BYTES domain: "kinds" } string_domain { name: "kinds" }',
        'string_domain { name: "label" value: "x" } feature {name:"label" type:1 domain:"label"}',
        "feature { name: 'label' type: BYTES domain: 'label' }\nstring_domain {name: 'label' "
        "value: 'x' }",
    ],
)
def test_a_file_of_any_form_gets_them(schema: str) -> None:
    text = with_labels(schema.encode(), ["b", "a"], "s.pbtxt")
    assert known_labels(parse_schema(text.encode(), "s.pbtxt")) == frozenset("ab")


@given(st.lists(st.text(max_size=8), max_size=5), st.lists(st.text(max_size=8), max_size=5))
def test_any_classes_can_be_written_and_written_again(first: list[str], second: list[str]) -> None:
    once = with_labels(MINE.encode(), first, "s.pbtxt")
    twice = with_labels(once.encode(), second, "s.pbtxt")
    assert known_labels(parse_schema(twice.encode(), "s.pbtxt")) == frozenset(second)
    assert "# our own" in twice


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(UsageError, match=r"s\.pbtxt"):
        with_labels(b"feature {", ["a"], "s.pbtxt")
