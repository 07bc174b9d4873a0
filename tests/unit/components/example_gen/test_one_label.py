"""What a value of a manifest says about the class."""

import pytest

from components.example_gen.sources.one_label import RefusedError, joined_labels, label_of


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("  two words ", "two words"),
        ("e\u0301", "é"),
        (7, "7"),
        (-1, "-1"),
        (1.0, "1"),
        ("1.0", "1.0"),
        (True, "true"),
        ("None", "None"),
        ("[x", "[x"),
        ("(red)", "(red)"),
        ("nana", "nana"),
    ],
)
def test_what_names_a_class(value, label):
    assert label_of(value) == label


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (None, "no_label", "no label"),
        ("", "no_label", "empty"),
        (" \t", "no_label", "empty"),
        (float("nan"), "no_label", "NaN"),
        ("nan", "no_label", "'nan'"),
        ("NULL", "no_label", "'NULL'"),
        ("NA", "no_label", "'NA'"),
        ("n/a", "no_label", "'n/a'"),
        ("-1.#IND", "no_label", "#IND"),
        (r"\N", "no_label", "programs write"),
        (float("inf"), "bad_label", "not whole"),
        (0.5, "bad_label", "not whole"),
        (1e300, "bad_label", "not whole"),
        (["0", "wet"], "several_labels", "one label an image"),
        (["0"], "several_labels", "a list"),
        ([], "several_labels", "a list"),
        ({"0": 1}, "several_labels", "an object"),
        ("['0', 'wet']", "several_labels", "one label an image"),
        ("('0', 'wet')", "several_labels", "one label an image"),
        ("('0',)", "several_labels", "one label an image"),
        ("two\nlines", "bad_label", "line break"),
        ("3\ud800", "bad_label", "half a character"),
        ("a\0b", "bad_label", "control character"),
        ("x" * 256, "bad_label", "256 characters"),
    ],
)
def test_what_names_none_or_several(value, code, words):
    with pytest.raises(RefusedError, match=words) as caught:
        label_of(value)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        (["cat", "dog", "cat|dog", "dog, cat", "cat;"], {"cat|dog", "dog, cat"}),
        (["cat", "dog", "cat+dog", "cat & dog", "cat dog"], {"cat+dog", "cat & dog", "cat dog"}),
        (["bear", "black bear", "crane, bird", "c++", "1/2", "1", "2"], set()),
        (["a|b", "b|c", "c;a", "a|b|c", "d|a"], {"a|b", "b|c", "c;a", "a|b|c"}),
        (["tomato|blight", "tomato|well", "potato|blight", "potato|well"], set()),
        (["c|d", "e|f"], set()),
    ],
)
def test_labels_that_join_others(labels, joined):
    assert joined_labels(labels) == joined
