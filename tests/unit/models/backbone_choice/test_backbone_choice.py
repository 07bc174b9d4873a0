"""The rule that chooses a backbone, and its file."""

from pathlib import Path

import numpy as np
import pytest

from models.backbone_choice.backbone_choice import (
    Candidate,
    ChoiceError,
    ChoiceRule,
    Contender,
    LeftOutCandidate,
    Measured,
    choose,
    read_choice,
    write_choice,
)

IMAGES = 400


def contender(size: int, wrong: range, milliseconds: float) -> Contender:
    """A candidate that answers some images wrongly."""
    right = np.ones(IMAGES, bool)
    right[list(wrong)] = False
    accuracy = float(right.mean())
    measured = Measured(
        candidate=Candidate(backbone="Lite", weights="imagenet", image_size=size),
        weights_digest="ab",
        dimension=8,
        accuracy=accuracy,
        standard_error=0.01,
        milliseconds=2 * milliseconds,
        batch_milliseconds=milliseconds / 2,
    )
    return Contender(measured, right)


def chosen_size(contenders: list[Contender], price: float, standard_errors: float) -> int | None:
    rule = ChoiceRule(price=price, standard_errors=standard_errors)
    return choose(contenders, rule).winner.candidate.image_size


SMALL, MIDDLE, LARGE = (
    contender(96, range(100), 1.0),
    contender(160, range(44), 3.0),
    contender(224, range(40), 6.0),
)


def test_without_price_and_tolerance_the_most_accurate_wins() -> None:
    assert chosen_size([LARGE, SMALL, MIDDLE], 0.0, 0.0) == 224


def test_a_difference_that_may_be_chance_is_not_paid_for() -> None:
    # Four images more in 400 are 0.01 ± 0.005.
    assert chosen_size([SMALL, MIDDLE, LARGE], 0.0, 1.0) == 224
    assert chosen_size([SMALL, MIDDLE, LARGE], 0.0, 2.5) == 160


def test_the_error_is_that_of_the_difference_on_the_same_images() -> None:
    """As many wrong, but other images: the same difference is much less certain."""
    other = contender(160, range(300, 344), 3.0)
    assert chosen_size([SMALL, other, LARGE], 0.0, 1.0) == 160
    rule = ChoiceRule(price=0.0, standard_errors=1.0)
    behind = choose([other, LARGE], rule).compared[0]
    expected = np.std(other.right.astype(float) - LARGE.right) / np.sqrt(IMAGES)
    assert behind.behind_error == pytest.approx(expected)
    assert behind.behind_error > 3 * choose([MIDDLE, LARGE], rule).compared[0].behind_error


def test_the_price_is_paid_for_each_doubling_of_the_cost() -> None:
    # The largest gains 0.01 for one doubling, the middle one 0.14 for 1.6 of them.
    assert chosen_size([SMALL, MIDDLE, LARGE], 0.009, 0.0) == 224
    assert chosen_size([SMALL, MIDDLE, LARGE], 0.011, 0.0) == 160
    assert chosen_size([SMALL, MIDDLE, LARGE], 0.1, 0.0) == 96
    compared = choose([LARGE, SMALL], ChoiceRule(price=0.01, standard_errors=0.0)).compared
    assert [each.measured.cost for each in compared] == [1.0, 6.0]
    assert compared[1].utility == pytest.approx(0.9 - 0.01 * np.log2(6.0))


def test_equal_accuracy_goes_to_the_cheaper() -> None:
    assert chosen_size([LARGE, contender(128, range(40), 2.0)], 0.0, 0.0) == 128


@pytest.mark.parametrize(
    ("contenders", "standard_errors", "words"),
    [
        ([LARGE], 1.0, "Lite at 224 px is the only candidate"),
        ([SMALL, LARGE], 1.0, "every cheaper one is more than 1 standard error behind"),
        ([LARGE, MIDDLE], 2.5, "0.010 ± 0.005 behind, at 0.50 of its cost"),
        ([MIDDLE, contender(224, range(50), 6.0)], 1.0, "both the cheapest and"),
    ],
)
def test_it_says_why(contenders: list[Contender], standard_errors: float, words: str) -> None:
    assert words in choose(contenders, ChoiceRule(price=0.0, standard_errors=standard_errors)).words


def test_the_file_reads_back(tmp_path: Path) -> None:
    missing = Candidate(backbone="VGG16", weights="imagenet", image_size=None)
    left_out = LeftOutCandidate(candidate=missing, reason="no network")
    choice = choose([SMALL, LARGE], ChoiceRule(price=0.01, standard_errors=1.0), [left_out])
    write_choice(tmp_path, choice)
    assert read_choice(tmp_path) == choice


def test_a_file_with_a_field_that_is_no_longer_written_reads(tmp_path: Path) -> None:
    choice = choose([contender(96, range(9), 2.0)], ChoiceRule(price=0.005, standard_errors=1.0))
    write_choice(tmp_path, choice)
    file = tmp_path / "choice.json"
    old = file.read_text("utf-8").replace('"dimension"', '"log_evidence": 0.3, "dimension"')
    assert "log_evidence" in old
    file.write_text(old, "utf-8")
    assert read_choice(tmp_path) == choice


@pytest.mark.parametrize(
    ("old", "new"),
    [('"version": 1', '"version": 2'), ('"chosen": 1', '"chosen": 7'), ("{", "", ), ("0.9", "NaN")],
)  # fmt: skip
def test_another_version_or_a_damaged_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    write_choice(tmp_path, choose([SMALL, LARGE], ChoiceRule(price=0.0, standard_errors=0.0)))
    file = tmp_path / "choice.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ChoiceError, match=r"choice\.json"):
        read_choice(tmp_path)
    file.unlink()
    with pytest.raises(ChoiceError):
        read_choice(tmp_path)
