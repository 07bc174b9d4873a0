"""What `graft predict` writes of further label columns."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from pipeline.answer_page import AnswerPage
from pipeline.answers import Form, writer
from pipeline.image_files import ImageFile
from serving.client import Answer

_STATE = Answer(("<old>", "new"), (0.75, 0.25))
_ANSWER = Answer(("shoes", "hat"), (0.9, 0.1), further={"state": _STATE})
_FILE = ImageFile(Path("a.png"), b"image")


def told(form: Form, capsys: pytest.CaptureFixture[str], further: tuple[str, ...]) -> str:
    output = writer(form, further)
    output.answered(_FILE, {"REST": _ANSWER})
    output.failed(Path("b.png"), "is text")
    return capsys.readouterr().out


def test_lines_name_the_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("text", capsys, ("state",)) == ("REST  a.png  shoes  0.900  state: <old>  0.750\n")


def test_json_has_the_same_for_each_column(capsys: pytest.CaptureFixture[str]) -> None:
    answered, failed = map(json.loads, told("json", capsys, ("state",)).splitlines())
    state = answered.pop("further_labels")["state"]
    assert answered.keys() == {"file", "label", "score", "classes"}
    assert (state["label"], state["score"]) == ("<old>", 0.75)
    assert [each["label"] for each in state["classes"]] == ["<old>", "new"]
    assert "further_labels" not in failed


def test_csv_has_two_columns_more_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    text = told("csv", capsys, ("state", "site"))
    answered, failed = csv.DictReader(io.StringIO(text, newline=""))
    assert list(answered)[-4:] == ["state/label", "state/score", "site/label", "site/score"]
    assert (answered["label"], answered["state/label"]) == ("shoes", "<old>")
    assert (answered["state/score"], answered["site/label"]) == ("0.75", "")
    assert failed["state/label"] == failed["site/score"] == ""
    assert next(csv.DictReader(io.StringIO(told("csv", capsys, ())))).keys() == {
        *list(answered)[:-4]
    }


def test_the_page_shows_each_column_below_the_class(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    page = AnswerPage(tmp_path / "page.html", "m")
    page.answered(ImageFile(Path("a.png"), buffer.getvalue()), {"REST": _ANSWER})
    page.write()
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text.index("shoes") < text.index(">state<") < text.index("&lt;old&gt;")
    assert "<old>" not in text
