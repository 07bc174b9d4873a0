"""Whatever a server sends, it is an answer or an error in words."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from serving.client.answers import (
    OUTPUTS,
    Answer,
    Predictions,
    explained_answers,
    predictions_of,
)
from serving.client.errors import PredictionError

_SINGLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_ANY = st.recursive(
    _SINGLE,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=2),
    max_leaves=8,
)


@given(st.fixed_dictionaries(dict.fromkeys(OUTPUTS, _ANY)), st.integers(1, 3))
def test_anything_is_an_answer_or_refused_in_words(outputs: dict[str, object], images: int) -> None:
    try:
        told: Predictions | str = predictions_of(outputs, "The model", images)
    except PredictionError as error:
        told = str(error)
    if isinstance(told, str):
        assert told.startswith("The model ")
    else:
        assert len(told.each()) == images


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(1, 6), st.data())
def test_each_answer_is_what_was_said_of_its_image(images: int, classes: int, data) -> None:
    shares = st.lists(st.floats(0, 1, width=32), min_size=classes, max_size=classes)
    rows = data.draw(st.lists(shares, min_size=images, max_size=images))
    named = min(classes, 5)
    ids = np.argsort(-np.array(rows), axis=1)[:, :named].tolist()
    labels = [[f"class {place}" for place in row] for row in ids]
    outputs = {"probabilities": rows, "class_ids": ids, "labels": labels}
    answers = predictions_of(outputs, "The model", images).each()
    for row, places, each in zip(rows, ids, answers, strict=True):
        assert each.scores == tuple(sorted(row, reverse=True)[:named])
        assert each.labels == tuple(f"class {place}" for place in places)
    binary = {**outputs, "labels": [[label.encode() for label in row] for row in labels]}
    assert predictions_of(binary, "The model", images).labels == tuple(map(tuple, labels))


def test_the_first_is_the_likeliest() -> None:
    answer = Answer(("red", "dark"), (0.75, 0.25))
    assert (answer.label, answer.score) == ("red", 0.75)


def test_a_missing_output_is_named() -> None:
    with pytest.raises(PredictionError, match="does not return class_ids, labels: no model"):
        predictions_of({"probabilities": [[1.0]]}, "It", 1)


_SAID = {"probabilities": [[0.25, 0.75]], "class_ids": [[1, 0]], "labels": [["red", "dark"]]}


@settings(max_examples=60)
@given(st.fixed_dictionaries(dict.fromkeys(("heat", "seen_bytes"), _ANY)))
def test_any_explanation_is_one_or_refused_in_words(outputs: dict[str, object]) -> None:
    try:
        told: object = explained_answers(_SAID | outputs, "The model", 1)[0].heat.ndim
    except PredictionError as error:
        told = str(error)
    assert told in (2, "The model does not say where it saw what it answers.")


@pytest.mark.parametrize("picture", [b"jpeg", {"b64": "anBlZw=="}])
def test_an_explanation_is_read_from_either_api(picture: object) -> None:
    outputs = {**_SAID, "heat": [[[0.0, 0.5], [1.0, 0.25]]], "seen_bytes": [picture]}
    (told,) = explained_answers(outputs, "The model", 1)
    assert (told.label, told.score, told.seen) == ("red", 0.75, b"jpeg")
    assert told.heat.tolist() == [[0.0, 0.5], [1.0, 0.25]]


@pytest.mark.parametrize("heat", [[[[0.0, 2.0]]], [[[float("nan")]]], [[0.5]], []])
def test_heat_of_another_form_is_refused(heat: object) -> None:
    with pytest.raises(PredictionError, match="does not say where"):
        explained_answers({**_SAID, "heat": heat, "seen_bytes": [b""]}, "It", 1)


_OF_STATE = {f"state/{name}": value for name, value in _SAID.items()}


def test_further_label_columns_are_answered_beside_the_class() -> None:
    told = predictions_of({**_SAID, **_OF_STATE}, "It", 1)
    assert told.further["state"].labels == (("red", "dark"),)
    (answer,) = told.each()
    assert answer.further == {"state": Answer(("red", "dark"), (0.75, 0.25))}
    heat = {"heat": [[[0.5]]], "seen_bytes": [b""]}
    (explained,) = explained_answers({**_SAID, **_OF_STATE, **heat}, "It", 1)
    assert explained.further == answer.further
    assert predictions_of(_SAID, "It", 1).further == {}


@pytest.mark.parametrize("name", ["class_ids", "labels"])
def test_a_further_column_that_is_not_whole_is_refused(name: str) -> None:
    lacking = {**_SAID, **_OF_STATE}
    del lacking[f"state/{name}"]
    with pytest.raises(PredictionError, match=f"does not return state/{name}"):
        predictions_of(lacking, "It", 1)
