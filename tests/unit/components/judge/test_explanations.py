"""Which answers are explained, and that the file keeps what was said."""

from pathlib import Path

import numpy as np
import pytest
from labelled_examples import write_examples
from watermarks import CLASSES, png, watermarked

from components.artifact_names import SERVING_FOLDER
from components.exported_models.exported_model import ExportedModel
from components.judge.explanations import (
    MISTAKES,
    explain,
    load_explanations,
    save_explanations,
    worst_mistakes,
)
from components.judge.predicting import predict_split
from models.data import example_schema

COUNT = 30
DATA = watermarked(COUNT, seed=4)
UNKNOWN = 5
SWAPPED = (8, 9)


@pytest.fixture(scope="module")
def explained(watermark_models: Path, tmp_path_factory: pytest.TempPathFactory):
    """Of a test split with two labels swapped and a class that the model does not know."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "model").mkdir()
    (folder / "model" / SERVING_FOLDER).symlink_to(watermark_models / "1")
    labels = [CLASSES[place] for place in DATA.classes]
    for number in SWAPPED:
        labels[number] = CLASSES[1 - DATA.classes[number]]
    labels[UNKNOWN] = "another"
    images = [
        (label, f"{number}.png", png(pixels))
        for number, (label, pixels) in enumerate(zip(labels, DATA.pixels, strict=True))
    ]
    write_examples(folder / "examples", {example_schema.TEST: images})
    model = ExportedModel(str(folder / "model"))
    predictions = predict_split(model, str(folder / "examples"), example_schema.TEST)
    return predictions, explain(model, predictions, str(folder / "examples"))


def test_mistakes_and_the_surest_right_answer_of_each_class_are_explained(explained) -> None:
    predictions, found = explained
    mistakes = [each for each in found if not each.is_right]
    assert {each.name for each in mistakes} == {f"{n}.png" for n in (UNKNOWN, *SWAPPED)}
    right = [each for each in found if each.is_right]
    assert sorted(each.answer for each in right) == sorted(CLASSES)
    for each in found:
        row = predictions.names.index(each.name)
        assert each.probability == predictions.probabilities[row].max()
        assert each.for_answer.max() > 0
        assert each.seen.startswith(b"\xff\xd8")
        knows_both = each.truth in CLASSES and not each.is_right
        assert (each.for_truth is not None) == knows_both
        if each.for_truth is not None:
            assert np.abs(each.for_truth - each.for_answer).max() > 0.1
    (stranger,) = (each for each in found if each.truth == "another")
    assert stranger.truth_probability == 0.0


def test_the_file_keeps_what_was_found(explained, tmp_path: Path) -> None:
    _, found = explained
    save_explanations(tmp_path / "explanations.npz", found)
    kept = load_explanations(tmp_path / "explanations.npz")
    for one, other in zip(found, kept, strict=True):
        for name in ("name", "truth", "answer", "probability", "truth_probability", "seen"):
            assert getattr(one, name) == getattr(other, name)
        np.testing.assert_allclose(one.for_answer, other.for_answer, atol=0.5 / 255 + 1e-6)
        assert (one.for_truth is None) == (other.for_truth is None)
    save_explanations(tmp_path / "none.npz", [])
    assert load_explanations(tmp_path / "none.npz") == []


def test_the_worst_mistakes_come_first(explained) -> None:
    predictions, _ = explained
    rows = worst_mistakes(predictions, MISTAKES)
    sure = predictions.probabilities.max(axis=1)[rows]
    assert len(rows) == 3
    assert (np.diff(sure) <= 0).all()
    assert worst_mistakes(predictions, 1) == rows[:1]
