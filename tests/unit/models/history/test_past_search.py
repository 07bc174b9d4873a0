import numpy as np
import pytest

from models.history.past_search import PastSearch, check_past
from models.history.shipped import starter_files
from models.history.tuning_history import read_history

_PAST = PastSearch("week", ({"rate": 0.1}, {"rate": 0.2}), np.array([0.5, 0.6]))


def test_lists_are_taken_as_a_notebook_has_them() -> None:
    made = PastSearch("week", [{"rate": 0.1}, {"rate": 0.2}], [0.5, 0.6])  # type: ignore[arg-type]
    assert (made.values, made.scores.tolist()) == (_PAST.values, _PAST.scores.tolist())
    with pytest.raises(ValueError, match="a finite score for each of 2 trials"):
        PastSearch("week", _PAST.values, [0.5])  # type: ignore[arg-type]


def test_a_past_is_a_list_of_past_searches() -> None:
    for right in ([], (), [_PAST], (_PAST,)):
        check_past(right)
    history = read_history(starter_files()[0])
    wrong: list[tuple[object, str]] = [
        (_PAST, "PastSearch"),
        ("study.jsonl", "str"),
        ([_PAST, "study.jsonl"], "str"),
        ([history], "TuningHistory"),
        (None, "NoneType"),
    ]
    for past, got in wrong:
        with pytest.raises(TypeError, match=rf"PastSearch\.from_history.*but got {got}$"):
            check_past(past)


def test_a_hyperparameter_has_the_new_search_s_word_for_it() -> None:
    past = PastSearch("a", ({"learning_rate": 0.1, "units": 3}, {"units": 4}), np.array([1.0, 2.0]))
    assert past.called(["lr", "units"]).values == ({"lr": 0.1, "units": 3}, {"units": 4})
    # What the new search knows by their word, or by both words, stays.
    assert past.called(["learning_rate", "lr"]) is past
    assert past.called(["units", "log_lr"]) is past
    both = PastSearch("b", ({"lr": 0.1, "learn_rate": 0.2},), np.array([1.0]))
    assert both.called(["learning_rate"]) is both
