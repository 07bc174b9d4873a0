import pytest

from models.errors import UsageError
from models.zero_shot.class_names import ClassName, parse_class, parse_sense, spellings


def test_a_class_may_say_what_it_is() -> None:
    assert parse_class(" shoes ") == ClassName("shoes", ("shoes",))
    assert parse_class("Küche=stove + sink#2") == ClassName("Küche", ("stove", "sink#2"))
    assert parse_class("a=b=c") == ClassName("a", ("b=c",))


@pytest.mark.parametrize("text", ["", "  ", "=coat", "outwear=", "outwear=coat+"])
def test_half_a_class_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no class: expected a name"):
        parse_class(text)


def test_a_number_names_a_sense() -> None:
    assert parse_sense("mouse#4") == ("mouse", 4)
    assert parse_sense("c#") == ("c#", None)
    assert parse_sense("mouse#0") == ("mouse#0", None)


def test_names_of_folders_become_words_the_whole_before_its_end() -> None:
    assert list(spellings("TallBuilding")) == [
        *("tallbuilding", "tall_building", "tall-building", "tallbuilding"),
        *("building", "building", "building"),
    ]
    assert "t-shirt" in spellings("T_shirt")
    assert next(spellings("Street  sign")) == "street_sign"
    assert list(spellings("__")) == ["__"]
