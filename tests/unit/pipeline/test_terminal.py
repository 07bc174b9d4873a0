"""What a run prints while it goes on."""

import io

import pytest

from models import progress
from pipeline.terminal.display import Display

_NOTE = "162 offered: 160 used, 2 refused (2 truncated), [0.932, 0.978] [bold]"


@pytest.mark.parametrize("cached", [True, False])
def test_the_line_of_a_stage_says_what_came_of_it(cached: bool) -> None:
    told = io.StringIO()
    with Display(told, {"Ingest": "Ingest images"}) as display:
        display.stage_started("Ingest")
        progress.report(162, 162, "images")
        display.stage_ended("Ingest", 2.5, cached=cached, note=_NOTE)
    line = told.getvalue()
    assert "✓ Ingest images" in line
    assert ("cached" if cached else "2.5 s") in line
    assert line.endswith(f"{_NOTE}\n")


def test_without_a_note_it_says_how_far_the_work_came() -> None:
    told = io.StringIO()
    with Display(told, {"Learn": "Learn the labels"}) as display:
        display.stage_started("Learn")
        progress.report(9, 9, "labels")
        display.stage_ended("Learn", 1.0, cached=False)
    assert told.getvalue().endswith("9 labels\n")


@pytest.mark.parametrize(
    ("stage", "title"), [("Ingest", "Ingest images"), ("ValidationGate", "Validation gate")]
)
def test_a_stage_that_stops_the_run_is_named_in_words(stage: str, title: str) -> None:
    told = io.StringIO()
    with Display(told, {"Ingest": "Ingest images"}) as display:
        display.stage_started(stage)
        display.stage_failed(stage)
    assert told.getvalue().endswith(f"✗ {title}\n")
