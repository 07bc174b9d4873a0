"""The report's page: what it shows, and that nothing in the data can change that."""

import html
import json
import re

import numpy as np
import pytest
from finished_run import EVIL
from visible_text import visible_text

from components.judge.explanations import EXPLANATIONS_FILE
from components.judge.prediction_file import FILE_NAME, Predictions, save_predictions
from components.judge.verdict_files import write_metrics
from models import metrics
from models.number_text import duration
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks


def test_the_report_tells_the_whole_story(run):
    page = run.page()
    text = visible_text(page)
    assert "Pushed as version 3" in text
    assert run.record.reason in text
    for heading in (
        "Verdict",
        "On the test split",
        "Further label columns",
        "Where it saw its answers",
        "Data",
        "Search",
        "Training",
        "Lineage",
    ):
        assert f">{heading}</h2>" in page
    for words in (
        "Worst mistakes",
        "Gaps between slices",
        "500 of 700 images labelled, in 2 classes",
        "Always “new”, the most frequent class",
        "in the end it was fitted to all 380",
        "Shortcuts",
        "bottom, right",
        "2 of 490 labels look wrong (0.4%), 1 left out: they look like",
        "10 more could not be weighed",
        "Confusion matrix",
        "12 configurations were begun in 6.0 s; the budget was 60.0 s.",
        "It learned from the curves of 1 earlier search (hats (starter), 2026-11-28).",
        "Ten more minutes would be expected to bring 0.4 points.",
        "EfficientNetLite0 at 160 px, frozen",
        "It is no history.",
        "Served over gRPC",
        "The file ends early.",
        "look alike in training and test",
        "Auto: 400 training images are at least 300.",
        "It went on after 2 epochs",
        "5f0c41d0aa",
        "75.3 s",
    ):
        assert words in text
    assert page.count("<p>left out</p>") == 1, "of two labels that look wrong one is trained on"
    assert page.count("<svg") == 5
    assert page.count("data:image/jpeg") >= 10 * 6
    assert len(page) < 1_000_000


def test_the_report_needs_nothing_from_outside(run):
    page = run.page()
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("data:image/jpeg", "#")) for link in links)
    assert "url(" not in page


def test_mistakes_are_shown_with_what_speaks_for_both_classes(run):
    page = run.page()
    section = page[page.index('<section id="explained">') :].partition("</section>")[0]
    mistakes, _, right = section.partition("Right answers</h3>")
    assert mistakes.count("<li>") == 2
    assert mistakes.count("data:image/jpeg") == 2 * 3
    assert right.count("<li>") == 1
    assert right.count("data:image/jpeg") == 2
    assert mistakes.count('alt="What speaks for ') == 4


def test_the_pushed_model_s_card_is_linked(run):
    card = run.folder / "a served #model" / "3" / "assets.extra" / "model-card.html"
    card.parent.mkdir(parents=True)
    card.touch()
    run.record.pushed_to = str(card.parent.parent)
    assert run.summary()["model"]["card"] == str(card)
    link = "../a%20served%20%23model/3/assets.extra/model-card.html"
    assert f'<a href="{link}">Model card</a>' in run.page()


def test_a_model_that_was_not_explained_has_no_such_section(run):
    (run.folder / "blessing" / EXPLANATIONS_FILE).write_bytes(b"no archive")
    page = run.page()
    assert 'id="explained"' not in page
    assert 'id="test"' in page


def test_names_cannot_inject_markup(run):
    run.record.reason = EVIL
    page = run.page()
    assert "<script" not in page
    assert html.escape(EVIL, quote=False) in page.replace("&#34;", '"')


def test_a_thousand_classes_stay_small(run):
    classes = tuple(f"class number {index}" for index in range(1000))
    random = np.random.default_rng(0)
    truth = random.integers(0, 1000, 3000)
    scores = random.random((3000, 1000)) + 0.8 * np.eye(1000)[truth]
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    names = [run.names[500 + index % 200] for index in range(3000)]
    predictions = Predictions(names, [classes[index] for index in truth], classes, probabilities)
    quality = metrics.quality(predictions.truth, probabilities, classes, 3)
    save_predictions(run.folder / "blessing" / FILE_NAME, predictions)
    write_metrics(run.folder / "blessing", predictions, quality, (), (), (), None, None)
    ingest = json.loads((run.folder / "quarantine" / "ingest.json").read_text())
    ingest["classes"] = dict.fromkeys(classes, 5)
    run.write("quarantine", "ingest.json", ingest)
    page = run.page()
    assert len(page.encode()) < 2_000_000
    assert "Most frequent confusions" in page
    assert "Confusion matrix" not in page


def test_ticks_are_round_and_span_the_values():
    assert nice_ticks(0.713, 0.944) == pytest.approx((0.7, 0.75, 0.8, 0.85, 0.9, 0.95))
    assert nice_ticks(3.0, 3.0)[0] <= 3.0 < nice_ticks(3.0, 3.0)[-1]
    assert nice_ticks(float("nan"), 1.0) == (0.0, 1.0)
    for low, high in ((1.0 - 1e-10, 1.0), (0.0, 1e-12), (5e6, 5e6 + 1e-9), (-1e-9, 0.0)):
        ticks = nice_ticks(low, high)
        assert ticks[0] < ticks[-1]
        assert ticks[0] <= low + 1e-9
        assert ticks[-1] >= high - 1e-9


def test_chart_text_is_escaped():
    chart = line_chart(
        EVIL, [Series(EVIL, [(0, 0), (1, 1)])], Axis(EVIL, (0.0, 1.0)), Axis("y", (0.0, 1.0))
    )
    assert "<script" not in chart


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.23, "4.2 s"), (185, "3 min 05 s"), (7300, "2 h 01 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_what_was_forgotten_is_shown_by_class(run):
    page = run.page()
    assert "What the last blessed model knew" in page
    assert "0.900 of 60 were right before, 0.750 are now" in page
