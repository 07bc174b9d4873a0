"""The model card: what it tells, from artifacts alone, and that nothing in them can change it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_further import judged

from components.artifact_names import CARD_FILE, MARKDOWN_CARD_FILE
from components.findings import Finding, write_findings
from components.judge.gaps import Gap
from components.judge.occlusion import Shortcut
from components.judge.prediction_file import Predictions
from components.judge.slices import Slice, by_feature
from components.judge.verdict_files import write_metrics
from components.model_card.card import Sources, gather
from components.model_card.card_settings import CardSettings
from components.model_card.render import as_markdown, render
from models.errors import UsageError
from models.metrics import quality

EVIL = '<script>alert("1")</script>|[x](http://y)*'
CLASSES = ("ant", "bee", EVIL)
GAPS = (
    Gap("site", "north", 20, 0.5, (0.3, 0.7), 0.9, 0.4, (0.2, 0.6), 0.01),
    Gap("site", "south", 20, 0.8, (0.6, 0.9), 0.82, 0.02, (-0.2, 0.2), 1.0),
)
SHORTCUTS = (Shortcut("bee", "upper left", 20, 0.6, 0.1, 0.5),)
SAID = CardSettings(intended_use="Counts insects.\n\nIn gardens.", contact=EVIL)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Of a model that takes half of the bees for ants, tested on 40 images of each of two."""
    made = Sources(*(tmp_path / name for name in ("model", "blessing", "quarantine", "findings")))
    truth = np.repeat([0, 1, 2], [40, 40, 4])
    answers = np.where((truth == 1) & (np.arange(84) % 2 == 0), 0, truth)
    predictions = Predictions(
        [f"{row}.png" for row in range(84)],
        [CLASSES[place] for place in truth],
        CLASSES,
        (np.eye(3)[answers] * 0.7 + 0.1).astype(np.float32),
    )
    slices = (
        Slice("brightness_mean", "0.1 to 0.2", 20, 0.2, (0.08, 0.42)),
        Slice("brightness_mean", "0.2 to 0.9", 64, 0.9, (0.8, 0.95)),
    )
    figures = quality(predictions.truth, predictions.probabilities, CLASSES, 2)
    made.blessing.mkdir()
    write_metrics(
        made.blessing, predictions, figures, slices, GAPS, SHORTCUTS, None, 0.7, [judged(EVIL)[0]]
    )
    made.findings.mkdir()
    write_findings(str(made.findings), [Finding.about("flat_images", "warning", EVIL, ["a.png"])])
    described = {
        "backbone": "B",
        "weights": "imagenet",
        "weights_digest": "w" * 64,
        "model_digest": "m" * 64,
        "image_size": 64,
        "exported": "fine_tuned",
        "seed": 7,
        "code": "c",
        "versions": {"keras": "3"},
    }
    _write(made.model / "Format-Serving" / "assets.extra" / "graft.json", described)
    (made.model / "Format-Serving/assets.extra/WEIGHTS_LICENSE.txt").write_text(f"MIT\n{EVIL}\n")
    _write(made.model / "training.json", {"strategy": "fine_tune", "exported_reason": EVIL})
    ingest = {
        "images": 500,
        "offered": 510,
        "quarantined": 10,
        "splits": {"train": 400, "validation": 16, "test": 84},
        "classes": {"ant": 300, "bee": 150, EVIL: 50},
        "converted": {"palette": 3},
        "split_source": "assigned",
        "fingerprint": "f" * 64,
    }
    _write(made.quarantine / "ingest.json", ingest)
    return made


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _texts(sources: Sources, said: CardSettings = SAID) -> tuple[str, str]:
    """What a person reads of the page, and the Markdown."""
    made = render(gather("insects", said, sources))
    page = _Text()
    page.feed(made[CARD_FILE].decode())
    assert not page.tags & {"script", "a", "img", "link"}
    return " ".join(page.text.split()), made[MARKDOWN_CARD_FILE].decode()


def test_both_forms_tell_the_same(sources: Sources) -> None:
    page, markdown = _texts(sources)
    for words in (
        "insects",
        "Counts insects.",
        "In gardens.",
        "trained on 400 images",
        "0.762 [",
        "0.700 [",
        "bee",
        "0.500 [0.35, 0.65]",
        "Brightness",
        "Further label columns",
        "0.900 [0.833, 0.942]",
        "500 used of 510 offered, 10 refused",
        "train 400, validation 16, test 84",
        "palette 3",
        "50 at least, 300 at most",
        "seed 7",
        "m" * 64,
        "w" * 64,
        "f" * 64,
        "MIT",
    ):
        assert words in page
        assert words in markdown


def test_the_images_that_it_learned_from_in_the_end_are_counted(sources: Sources) -> None:
    file = sources.model / "training.json"
    _write(file, json.loads(file.read_text()) | {"refitted_images": 416})
    assert all("trained on 416 images" in text for text in _texts(sources))


def test_that_the_most_frequent_class_would_do_as_well_is_a_limit(sources: Sources) -> None:
    assert all("not shown to be more" not in text for text in _texts(sources))
    probabilities = np.tile(np.array([0.8, 0.1, 0.1], np.float32), (20, 1))
    labels = [CLASSES[0]] * 19 + [CLASSES[1]]
    always = Predictions([f"{row}.png" for row in range(20)], labels, CLASSES, probabilities)
    figures = quality(always.truth, probabilities, CLASSES, 2)
    write_metrics(sources.blessing, always, figures, (), (), (), None, None)
    for text in _texts(sources):
        assert "Its accuracy is not shown to be more than always" in text
        assert "(0.950)" in text
        named = text.replace("\\", "")
        assert f"It took no test image for one of these classes: {CLASSES[1]}" in named


def test_what_the_backbone_went_through_before_is_told(sources: Sources) -> None:
    assert all("Fine-tuned before on" not in text for text in _texts(sources))
    file = sources.model / "Format-Serving" / "assets.extra" / "graft.json"
    link = {"name": EVIL, "data_fingerprint": "f" * 64, "images": 1200, "classes": 5}
    chain = [link | {"begun_from": "0", "weights_digest": "1"}]
    _write(file, json.loads(file.read_text()) | {"chain": chain})
    page, markdown = _texts(sources)
    told = f"{EVIL} (1,200 images of 5 classes, data ffffffffffffffff)"
    assert f"Fine-tuned before on{told}" in page.replace("on <", "on<")
    assert as_markdown(told) in markdown


def test_what_the_exported_model_learned_from_beside_its_images_is_told(sources: Sources) -> None:
    file = sources.model / "training.json"
    kept = {"name": "self-training", "kept": True, "reason": EVIL, "words": "fitted to 40"}
    others = [
        kept | {"name": "few-shot head", "of": "head"},
        kept | {"name": "copies", "kept": False, "of": "fine_tuned"},
    ]
    told = {"exported": "fine_tuned", "start": "champion"}
    strategies = [kept | {"of": "fine_tuned"}, *others]
    _write(file, json.loads(file.read_text()) | told | {"strategies": strategies})
    page, markdown = _texts(sources)
    for text, evil in ((page, EVIL), (markdown, as_markdown(EVIL))):
        assert f"self-training: {evil}; fitted to 40" in text
        assert f"{evil}; begun from the last blessed model" in text
        assert "few-shot" not in text
        assert "copies" not in text


def test_images_of_the_last_blessed_model_are_told(sources: Sources) -> None:
    file = sources.quarantine / "ingest.json"
    _write(file, json.loads(file.read_text()) | {"replayed": 90})
    assert all("of 510 offered (90 by data.replay), 10" in text for text in _texts(sources))


def test_limits_follow_from_the_figures(sources: Sources) -> None:
    page, _ = _texts(sources)
    assert "one of its 3 classes whatever an image shows" in page
    assert f"their figures say little: {EVIL}." in page
    assert "less often than on all images where there is: Brightness 0.1 to 0.2 (0.200" in page
    assert "0.2 to 0.9 (" not in page
    assert "It is less right where site = 'north' 0.400 [0.200, 0.600] (0.500 on 20" in page
    assert "south" not in page
    assert "It tells bee by a fixed part of the picture, upper left, more than" in page


def test_what_nobody_said_is_not_stated(sources: Sources) -> None:
    for text in _texts(sources, CardSettings()):
        for key in ("intended_use", "out_of_scope", "limits", "data", "considerations", "contact"):
            assert re.search(rf"Not stated \(`?card\.{key}`?\)", text)


def test_nothing_in_the_data_becomes_markup(sources: Sources) -> None:
    page, markdown = _texts(sources, SAID.model_copy(update={"limits": f"# {EVIL}\n* x"}))
    assert page.count(EVIL) == 7
    licence = markdown.partition("### Licence of the weights")
    assert "<" not in re.sub(r"\\<", "", licence[0])
    assert "](" not in re.sub(r"\\\]\(", "", licence[0])
    assert f"    {EVIL}\n" in licence[2]
    rows = [line for line in markdown.splitlines() if line.startswith("| \\<script")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5]


def test_the_same_model_has_the_same_card(sources: Sources) -> None:
    one, other = (render(gather("insects", SAID, sources)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("text", ["a_b", "1 < 2", "`code`", "line\nbreak\t\x07", "# no heading"])
def test_markdown_is_escaped_on_one_line(text: str) -> None:
    shown = as_markdown(text)
    assert "\n" not in shown
    assert re.search(r"(?<!\\)[`_<#*|]", shown) is None


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="20000"):
        CardSettings.from_json(json.dumps({"limits": "x" * 20_001}))


def test_limits_tell_what_was_found_and_not_what_an_operator_may_set(sources: Sources) -> None:
    mend = "Look at them. To silence it, set validation.flat_images: ignore."
    told = Finding.about("flat_images", "warning", "9 of 500 images are flat.", ["a.png"], mend)
    assert told.message == f"9 of 500 images are flat. {mend}"
    write_findings(str(sources.findings), [told])
    for words in _texts(sources):
        assert "9 of 500 images are flat." in words
        assert "silence" not in words
        assert "Look at them" not in words


def test_a_kept_network_is_not_called_frozen(sources: Sources) -> None:
    file = sources.model / "Format-Serving" / "assets.extra" / "graft.json"
    described = json.loads(file.read_text()) | {"exported": "head"}
    for network, words in (
        ("head", "frozen, with a head of its own"),
        ("fine_tuned", "fine-tuned in an earlier run on most of these images, with a head of its"),
    ):
        _write(file, described | {"network": {"exported": network}})
        assert all(words in text for text in _texts(sources))


def test_a_column_that_is_called_as_a_feature_is_keeps_rows_of_its_own() -> None:
    rows = [{"feature": each, "value": "1"} for each in ("brightness_mean", "slice/Brightness")]
    assert by_feature(rows) == [("Brightness", rows[:1]), ("Brightness", rows[1:])]
