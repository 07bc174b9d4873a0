"""`graft card`: the card of a pushed version, or why there is none."""

from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.card_command import print_card
from pipeline.served_model import Served


@pytest.fixture
def model(tmp_path: Path) -> Served:
    """Three versions, of which the last two have a card."""
    (tmp_path / "1").mkdir()
    for version in ("2", "10"):
        extra = tmp_path / version / "assets.extra"
        extra.mkdir(parents=True)
        (extra / "model-card.md").write_text(f"# Card {version}\n", "utf-8")
        (extra / "model-card.html").write_text("", "utf-8")
    return Served("m", tmp_path, 10**6)


def test_the_newest_version_s_card_is_named(
    model: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_card(model, None, as_markdown=False) == 0
    assert capsys.readouterr().out == f"{model.directory}/10/assets.extra/model-card.html\n"


def test_the_card_of_a_version_is_printed(
    model: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_card(model, 2, as_markdown=True) == 0
    assert capsys.readouterr().out == "# Card 2\n"


@pytest.mark.parametrize(
    ("version", "words"),
    [(1, "Version 1 has no model card"), (3, "no version 3 in .*: there is 1")],
)
def test_what_is_not_there_is_told(model: Served, version: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        print_card(model, version, as_markdown=False)
