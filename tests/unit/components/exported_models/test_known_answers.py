"""Tests of what is kept of exports, and of when it is not trusted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from labelled_examples import write_examples
from small_exports import LABELS, WIDTH, drawn_head, export, picture

from components.artifact_names import HEAD_FILE, further_head_file
from components.exported_models.exported_model import Answers, ExportedModel
from components.exported_models.known_answers import KnownAnswers, OtherAnswersError, Question
from components.judge.predicting import predict_columns


class _Watched(ExportedModel):
    """Counts the images that it is asked about for the first time."""

    observed = 0

    def observe(self, images: Iterable[bytes]) -> Answers:
        answers = super().observe(images)
        self.observed += len(answers.signals)
        return answers


@pytest.fixture
def first(tmp_path: Path) -> ExportedModel:
    return export(tmp_path / "first", seed=1)


def _questions(numbers: range) -> list[Question]:
    return [Question.about(picture(number)) for number in numbers]


def test_of_a_known_body_only_new_images_are_computed(first: ExportedModel, tmp_path: Path) -> None:
    store = str(tmp_path / "answers")
    KnownAnswers(first, store).ask(_questions(range(40)))
    export(tmp_path / "second", seed=2)
    second = _Watched(str(tmp_path / "second"))
    answers = KnownAnswers(second, store).ask(_questions(range(10, 45)))
    assert second.observed == 5
    truth = ExportedModel(second.uri).observe([picture(number) for number in range(10, 45)])
    np.testing.assert_allclose(answers.probabilities, truth.probabilities, atol=1e-5)
    np.testing.assert_allclose(answers.embeddings, truth.embeddings, atol=1e-5)
    np.testing.assert_allclose(answers.signals, truth.signals, atol=1e-5)
    differs = np.abs(truth.probabilities - first.answer([picture(n) for n in range(10, 45)]))
    assert differs.max() > 0.1


def test_an_image_is_not_opened_where_its_answer_is_known(
    first: ExportedModel, tmp_path: Path
) -> None:
    known = KnownAnswers(first, str(tmp_path / "answers"))
    known.ask(_questions(range(64)))
    opened = []

    def watched(question: Question) -> Question:
        def image() -> bytes:
            opened.append(question.key)
            return question.image()

        return Question(question.key, image)

    known.ask([watched(each) for each in _questions(range(64))])
    assert len(opened) == 4


def test_of_no_image_there_is_no_answer(first: ExportedModel, tmp_path: Path) -> None:
    answers = KnownAnswers(first, str(tmp_path / "answers")).ask([])
    assert answers.probabilities.shape == (0, len(LABELS))
    assert answers.embeddings.shape == (0, WIDTH)


def test_another_body_knows_nothing_of_it(first: ExportedModel, tmp_path: Path) -> None:
    store = str(tmp_path / "answers")
    KnownAnswers(first, store).ask(_questions(range(20)))
    export(tmp_path / "other", seed=2, body="other", backbone=5)
    other = _Watched(str(tmp_path / "other"))
    KnownAnswers(other, store).ask(_questions(range(20)))
    assert other.observed == 20


def test_an_export_that_is_not_what_it_says_is_noticed(
    first: ExportedModel, tmp_path: Path
) -> None:
    store = str(tmp_path / "answers")
    images = {"test": [("red", f"{number}.png", picture(number)) for number in range(40)]}
    write_examples(tmp_path / "examples", images)
    examples = str(tmp_path / "examples")
    predict_columns(first, examples, "test", store)
    broken = export(tmp_path / "broken", seed=2, backbone=5)
    with pytest.raises(OtherAnswersError):
        KnownAnswers(broken, store).ask(_questions(range(40)))
    answers = predict_columns(broken, examples, "test", store)["label"]
    truth = broken.answer([image for _, _, image in images["test"]])
    assert answers.probabilities.tolist() == truth.tolist()


def test_a_head_that_was_not_exported_is_noticed(first: ExportedModel, tmp_path: Path) -> None:
    drawn_head(7).save(Path(first.uri) / HEAD_FILE)
    with pytest.raises(OtherAnswersError):
        KnownAnswers(first, str(tmp_path / "answers")).ask(_questions(range(3)))


def test_nothing_is_kept_of_an_export_that_is_not_what_it_says(
    first: ExportedModel, tmp_path: Path
) -> None:
    store = str(tmp_path / "answers")
    drawn_head(7).save(Path(first.uri) / HEAD_FILE)
    with pytest.raises(OtherAnswersError):
        KnownAnswers(first, store).ask(_questions(range(20)))
    export(tmp_path / "next", seed=2)
    following = _Watched(str(tmp_path / "next"))
    KnownAnswers(following, store).ask(_questions(range(20)))
    assert following.observed == 20


@pytest.mark.parametrize("lacking", ["body", "head"])
def test_nothing_is_kept_of_a_model_without_a_name_or_a_head(lacking: str, tmp_path: Path) -> None:
    model = export(tmp_path / "tuned", seed=1, body="" if lacking == "body" else "one")
    if lacking == "head":
        (tmp_path / "tuned" / HEAD_FILE).unlink()
    known = KnownAnswers(model, str(tmp_path / "answers"))
    assert not known
    answers = known.ask(_questions(range(3)))
    assert answers.probabilities.shape == (3, 3)
    assert not (tmp_path / "answers").exists()


def test_heads_of_further_columns_answer_known_images_too(tmp_path: Path) -> None:
    store = str(tmp_path / "answers")
    KnownAnswers(export(tmp_path / "first", seed=1), store).ask(_questions(range(40)))
    export(tmp_path / "second", seed=2, further=True)
    second = _Watched(str(tmp_path / "second"))
    answers = KnownAnswers(second, store).ask(_questions(range(40)))
    assert second.observed == 0
    (state,) = answers.further
    images = [picture(number) for number in range(40)]
    every = second.answer_all(images)
    np.testing.assert_allclose(state, every[1], atol=1e-5)
    np.testing.assert_allclose(state.sum(axis=1), 1.0, atol=1e-5)
    assert np.abs(every[0] - every[1]).max() > 0.1
    np.testing.assert_allclose(second.observe(images).further[0], every[1], atol=1e-6)
    drawn_head(7).save(tmp_path / "second" / further_head_file("state"))
    with pytest.raises(OtherAnswersError):
        KnownAnswers(ExportedModel(second.uri), store).ask(_questions(range(40)))


def test_a_column_is_answered_for_the_images_that_have_a_label_in_it(tmp_path: Path) -> None:
    model = export(tmp_path / "model", seed=1, further=True)
    images = [("red", f"{number}.png", picture(number)) for number in range(6)]
    states = ["old", "", "new", "", "", "unheard of"]
    write_examples(tmp_path / "examples", {"test": images}, {"state": states})
    answers = predict_columns(model, str(tmp_path / "examples"), "test")
    assert list(answers) == ["label", "state"]
    assert answers["label"].names == [name for _, name, _ in images]
    state = answers["state"]
    assert (state.names, state.labels) == (
        ["0.png", "2.png", "5.png"],
        ["old", "new", "unheard of"],
    )
    assert state.truth.tolist() == [2, 1, -1]
    every = model.answer_all([image for _, _, image in images])[1]
    np.testing.assert_allclose(state.probabilities, every[[0, 2, 5]], atol=1e-6)
