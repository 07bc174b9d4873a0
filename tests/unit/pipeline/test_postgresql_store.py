"""Texts on their way to PostgreSQL and back."""

from hypothesis import given, strategies as st

from pipeline.postgresql_store import with_backslashes, without_backslashes

TEXTS = st.text() | st.text(alphabet="\\⧵⧶a")


@given(TEXTS)
def test_a_text_comes_back_and_no_backslash_is_sent(text: str) -> None:
    sent = without_backslashes(text)
    assert "\\" not in sent
    assert with_backslashes(sent) == text


def test_who_asks_the_database_sees_a_backslash() -> None:
    assert without_backslashes(r"C:\photos") == "C:⧵photos"
