"""Names that two tuners have for one thing."""

import pytest

from models.history.imports.foreign_past import ForeignPastError, Wanted
from models.history.imports.names import check_named, our_names


@pytest.mark.parametrize(
    ("theirs", "target", "ours"),
    [
        ("lr", (), "learning_rate"),
        ("learningRate", (), "learning_rate"),
        ("Learning-Rate", (), "learning_rate"),
        ("learning_rate", ("lr",), "lr"),
        ("lr", ("lr", "learning_rate"), "lr"),
        ("batchsize", ("units",), "batch_size"),
        ("dropout_rate", (), "dropout"),
        ("log_lr", (), "log_lr"),
        ("lr_log10", ("learning_rate",), "lr_log10"),
        ("head_lr", ("learning_rate",), "head_lr"),
        ("optimizer/lr", ("learning_rate",), "optimizer/lr"),
    ],
)
def test_only_what_means_the_same_gets_the_same_name(
    theirs: str, target: tuple[str, ...], ours: str
) -> None:
    assert our_names([theirs, "act"], Wanted(target=target), "study") == {
        theirs: ours,
        "act": "act",
    }


def test_two_names_for_one_thing_in_one_past_are_both_kept() -> None:
    for theirs in ({"lr", "learning_rate"}, {"lr", "learningrate"}):
        assert our_names(theirs, Wanted(), "study") == {name: name for name in theirs}


def test_the_user_has_the_last_word() -> None:
    names = {"lr": "lr", "width": "learning_rate", "note": ""}
    theirs = ["lr", "width", "note", "units"]
    ours = our_names(theirs, Wanted(names=names), "study")
    assert ours == {"lr": "lr", "width": "learning_rate", "units": "units"}


def test_names_that_a_history_cannot_have_are_refused_with_what_mends_it() -> None:
    with pytest.raises(ForeignPastError, match=r"--map 'a b=name'"):
        our_names(["a b"], Wanted(), "study")
    assert our_names(["a b"], Wanted(names={"a b": "c"}), "study") == {"a b": "c"}
    with pytest.raises(ForeignPastError, match="would be called 'units'"):
        our_names(["a", "units"], Wanted(names={"a": "units"}), "study")
    with pytest.raises(ForeignPastError, match="no hyperparameter 'b' to be renamed; it has a"):
        check_named({"b": "c"}, ["a"], "study")
