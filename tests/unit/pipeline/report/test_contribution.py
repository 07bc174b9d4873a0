"""What the report, the summary and the terminal say of earlier searches."""

import math
from pathlib import Path

import pytest
from finished_run import EVIL, FinishedRun, visible_text

from models.history.contribution import (
    Contribution,
    LeftOut,
    Proposal,
    SourceContribution,
    write_contribution,
)
from pipeline.report.charts import Axis, Band, area_chart
from pipeline.terminal.closing_lines import print_summary

TRIALS = 12
HEADING = "What earlier runs contributed"


def warm() -> Contribution:
    """Seven sources; one ranks the wrong way and is dropped after five trials."""
    raw = [[1.0 / (rank + 2)] * TRIALS for rank in range(6)]
    raw.append([1.0] * 5 + [0.0] * (TRIALS - 5))
    own = [place / 4 for place in range(TRIALS)]
    sums = [sum(shares) for shares in zip(own, *raw, strict=True)]
    names = [f"garden {rank}" for rank in range(6)] + [f"inverted {EVIL}"]
    origins = ["portfolio"] * 3 + ["model", "cold"] * 4 + ["random"]
    scores = [0.8 + 0.01 * place for place in range(TRIALS)]
    return Contribution(
        sources=tuple(
            SourceContribution(
                name=name,
                trials=50,
                shared_parameters=2,
                weights=tuple(a / b for a, b in zip(shares, sums, strict=True)),
                rank_agreement=-0.4 if name.startswith("inverted") else 0.6,
                dropped_after=5 if name.startswith("inverted") else None,
                words=f"It was weighed by {EVIL}.",
            )
            for name, shares in zip(names, raw, strict=True)
        ),
        left_out=(LeftOut(name=f"old {EVIL}", reason="no hyperparameter in common"),),
        cold_weights=tuple(a / b for a, b in zip(own, sums, strict=True)),
        proposals=tuple(
            Proposal(order=place, origin=origin, score=None if place == 4 else score)
            for place, (origin, score) in enumerate(zip(origins, scores, strict=True))
        ),
        expected_random=tuple(0.7 + 0.2 * (1 - math.exp(-place / 5)) for place in range(TRIALS)),
        trials_saved=9,
        seconds_saved=185.0,
        words="Seven earlier searches were used.",
    )


def cold(**changes: object) -> Contribution:
    proposals = [Proposal(order=place, origin="cold", score=0.5) for place in range(3)]
    return Contribution(cold_weights=(1.0,) * 3, proposals=tuple(proposals)).model_copy(
        update=changes
    )


def leave(run: FinishedRun, contribution: Contribution) -> None:
    write_contribution(run.folder / "history" / "contribution.json", contribution)


def printed(run: FinishedRun, capsys: pytest.CaptureFixture[str]) -> str:
    print_summary(run.summary(), run.folder)
    return capsys.readouterr().out


def test_the_panel_tells_who_gave_what(run: FinishedRun) -> None:
    leave(run, warm())
    page = run.page()
    text = " ".join(visible_text(page).split())
    for words in (
        HEADING,
        "Seven earlier searches were used.",
        "1 dropped on the way, 1 left out",
        "about 9",
        "about 3 min 05 s",
        "Random trials saved about 9",
        "of random trials",
        "expected of random search",
        "did well in earlier searches: 3",
        "predicted from this search alone: 4",
        "at random: 1",
        "Dropped after 5 trials.",
        "no hyperparameter in common",
        "−0.40",
        "3 more",
    ):
        assert words in text
    assert page.count('<polygon class="area') == 1 + 4 + 1
    assert page.count("<svg") == 4 + 2
    assert page.count('title="trial ') == TRIALS
    assert 'title="trial 5, predicted from this search alone: failed"' in page
    assert "<script" not in page


def test_the_first_search_says_that_there_was_no_past(run: FinishedRun) -> None:
    leave(run, cold())
    text = visible_text(run.page())
    assert "This was the first search: there was no earlier one to learn from." in text
    assert "Where each trial came from" not in text


def test_a_past_of_no_use_is_told_with_its_reasons(run: FinishedRun) -> None:
    leave(run, cold(left_out=(LeftOut(name="birds", reason="another metric"),)))
    text = visible_text(run.page())
    assert "No earlier search could be learned from, so this one started cold." in text
    assert "another metric" in text


def test_a_search_that_cannot_learn_has_no_panel(run: FinishedRun) -> None:
    assert HEADING not in run.page()
    assert run.summary()["tuning"]["contribution"] is None


@pytest.mark.parametrize("trials", [0, 1])
def test_a_search_stopped_at_once_has_a_panel_without_charts(run: FinishedRun, trials: int) -> None:
    source = SourceContribution(
        name="garden", trials=5, shared_parameters=2, weights=(0.5,) * trials
    )
    first = (Proposal(order=0, origin="portfolio", score=0.9),)[:trials]
    leave(run, cold(sources=(source,), cold_weights=(0.5,) * trials, proposals=first))
    page = run.page()
    assert HEADING in page
    assert page.count("<svg") == 4


def test_losses_are_drawn_as_they_were_measured(run: FinishedRun) -> None:
    path = run.folder / "history" / "history.jsonl"
    path.write_text(path.read_text().replace('"direction":"max"', '"direction":"min"'))
    losses = [0.9, 0.95, 0.4]
    proposals = [
        Proposal(order=place, origin="model", score=-loss) for place, loss in enumerate(losses)
    ]
    leave(run, warm().model_copy(update={"proposals": tuple(proposals), "expected_random": ()}))
    page = run.page()
    assert "<title>best so far: 2, 0.9</title>" in page
    assert "<title>best so far: 3, 0.4</title>" in page


def test_a_damaged_file_costs_the_panel_alone(run: FinishedRun) -> None:
    leave(run, warm())
    path = run.folder / "history" / "contribution.json"
    path.write_bytes(path.read_bytes()[:-100])
    page = run.page()
    assert HEADING not in page
    assert "Score over trials" in page


def test_the_summary_names_every_source(run: FinishedRun) -> None:
    leave(run, warm())
    given = run.summary()["tuning"]["contribution"]
    assert set(given) == {"sources", "left_out", "trials_saved", "seconds_saved", "words"}
    assert [source["name"] for source in given["sources"]][:2] == ["garden 0", "garden 1"]
    assert 0 < given["sources"][0]["weight"] < 1
    assert given["sources"][-1]["dropped_after"] == 5
    assert given["left_out"][0]["reason"] == "no hyperparameter in common"
    assert (given["trials_saved"], given["seconds_saved"]) == (9, 185.0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "search    warm from 7 earlier searches, ~9 random trials saved\n"),
        ({"trials_saved": 1}, "~1 random trial saved\n"),
        ({"trials_saved": None}, "warm from 7 earlier searches\n"),
        ({"trials_saved": 0}, "warm from 7 earlier searches\n"),
        ({"sources": warm().sources[:1]}, "warm from 1 earlier search, "),
        ({"sources": ()}, "search    cold, from no earlier search\n"),
    ],
)
def test_the_terminal_says_it_in_a_line(
    run: FinishedRun,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    line: str,
) -> None:
    leave(run, warm().model_copy(update=changes))
    assert line in printed(run, capsys)


def test_the_terminal_is_silent_on_a_search_that_cannot_learn(
    run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "  search " not in printed(run, capsys)


def test_bands_stand_on_each_other() -> None:
    chart = area_chart(
        "shares",
        [Band("a", (0.25, 0.5), "first"), Band("b", (0.75, 0.5), "second")],
        Axis("x", (1.0, 2.0)),
        Axis("y", (0.0, 1.0)),
    )
    bottom, middle, top, left, right = "238.0", "136.0", "34.0", "52.0", "466.0"
    first, second = chart.split("<polygon")[1:]
    assert f'points="{left},187.0 {right},{middle} {right},{bottom} {left},{bottom}"' in first
    assert f'points="{left},{top} {right},{top} {right},{middle} {left},187.0"' in second


def test_summaries_of_earlier_grafts_are_printed(
    run: FinishedRun, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    summary = run.summary()
    del summary["tuning"]["contribution"]
    print_summary(summary, tmp_path)
    assert "accuracy" in capsys.readouterr().out
