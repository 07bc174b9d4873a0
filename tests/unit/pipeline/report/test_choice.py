"""What the report, the summary and the terminal say of the choice among several backbones."""

import numpy as np
import pytest
from finished_run import EVIL, FinishedRun, visible_text

from models.backbone_choice.backbone_choice import (
    BackboneChoice,
    Candidate,
    ChoiceRule,
    Contender,
    LeftOutCandidate,
    Measured,
    choose,
    write_choice,
)
from pipeline.report.run_view import duration
from pipeline.terminal.closing_lines import print_summary

HEADING = "Which backbone"


def contender(size: int, wrong: int, milliseconds: float) -> Contender:
    right = np.arange(400) >= wrong
    accuracy = float(right.mean())
    measured = Measured(
        candidate=Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size),
        weights_digest="ab12",
        dimension=1280,
        accuracy=accuracy,
        standard_error=(accuracy * (1 - accuracy) / 400) ** 0.5,
        milliseconds=3 * milliseconds,
        batch_milliseconds=milliseconds,
    )
    return Contender(measured, right)


def choice() -> BackboneChoice:
    """Three sizes and a backbone that could not be had; the middle one is chosen."""
    contenders = [
        contender(96, 100, 2.0),
        contender(160, 42, 5.0),
        contender(224, 40, 10.0),
    ]
    absent = Candidate(backbone="VGG16", weights=f"{EVIL}.keras", image_size=None)
    left_out = LeftOutCandidate(candidate=absent, reason=f"{EVIL} is no file")
    return choose(contenders, ChoiceRule(price=0.002, standard_errors=1.0), [left_out])


def leave(run: FinishedRun, choice: BackboneChoice) -> None:
    write_choice(run.artifact("choice"), choice)


def test_the_panel_tells_what_was_measured_and_why_one_was_chosen(run: FinishedRun) -> None:
    leave(run, choice())
    page = run.page()
    text = " ".join(visible_text(page).split())
    for words in (
        HEADING,
        "EfficientNetLite0 at 160 px is the cheapest that is at most 1 standard error behind",
        "the same 400 training and validation images",
        "at most 1 standard error behind the best",
        "must bring 0.002 of accuracy",
        "EfficientNetLite0 at 160 px, chosen 0.895 ± 0.015 0.003 ± 0.004 15.0 5.0",
        "EfficientNetLite0 at 224 px 0.900 ± 0.015 best 30.0 10.0",
        # 700 images, 400 of them to train on.
        f"{duration(7.0)} {duration(12.0)}",
        f"VGG16 with weights {EVIL}.keras {EVIL} is no file",
    ):
        assert words in text
    assert 'href="#backbone"' in page
    section = page.partition('<section id="backbone">')[2].partition("</section>")[0]
    assert section.count('class="best"') == 1
    assert "<script" not in page


def test_without_a_choice_nothing_is_said(
    run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    page = run.page()
    assert HEADING not in page
    assert 'href="#backbone"' not in page
    assert run.summary()["model"]["choice"] is None
    print_summary(run.summary(), run.folder)
    assert "backbone" not in capsys.readouterr().out


def test_a_damaged_choice_is_left_out(run: FinishedRun) -> None:
    leave(run, choice())
    (run.folder / "choice" / "choice.json").write_text('{"version": 1')
    assert HEADING not in run.page()


def test_the_summary_and_the_terminal_name_the_chosen_one(
    run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(run, choice())
    told = run.summary()["model"]["choice"]
    assert [each["image_size"] for each in told["candidates"]] == [96, 160, 224]
    assert [each["chosen"] for each in told["candidates"]] == [False, True, False]
    assert told["candidates"][1]["accuracy"] == pytest.approx(0.895)
    assert told["left_out"][0]["reason"] == f"{EVIL} is no file"
    assert told["images"] == 400
    print_summary(run.summary(), run.folder)
    out = capsys.readouterr().out
    assert "EfficientNetLite0 at 160 px, out of 3; its quick probe 0.895" in out
