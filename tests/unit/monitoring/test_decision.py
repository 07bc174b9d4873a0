from dataclasses import replace

import pytest
from pydantic import ValidationError

from monitoring.accuracy.report import AccuracyReport, Labelled
from monitoring.data_faults import DataFault
from monitoring.decision import (
    Decision,
    DecisionSettings,
    Past,
    after_push,
    after_training,
    decide,
)
from monitoring.evidence.drift_report import DriftReport, SignalReport

DAY = 86_400.0
NOW = 1.7e9


def drifted(alarm: bool, images: int = 500) -> DriftReport:
    darker = SignalReport(
        "brightness", 9.0, True, None, "lower: median 0.31 → 0.18", 0.31, 0.18, heaviest=()
    )
    return DriftReport((darker,), alarm, images, log_e=9.0, run_length=398_000.0, alarms=1)


def accuracy(estimate: float | None, reach: float = 0.03, reliable: bool = True) -> AccuracyReport:
    middle = 0.5 if estimate is None else estimate
    return AccuracyReport(
        images=500,
        estimate=estimate,
        low=middle - reach,
        high=middle + reach,
        reliable=reliable,
        why="",
        reference=0.9,
        reference_interval=(0.88, 0.92),
    )


def labelled(value: float, reach: float = 0.02) -> Labelled:
    return Labelled(900, value, value - reach, value + reach, None, None)


def say(drift: bool, report: AccuracyReport, **more) -> Decision:
    return decide(drifted(drift), report, more.pop("faults", ()), more.pop("now", NOW), **more)


def test_the_five_states():
    fault = DataFault("flat pictures", "30 of 100 pictures are black", 0.3)
    said = [
        say(False, accuracy(0.9)),
        say(True, accuracy(0.89)),
        say(True, accuracy(0.7)),
        say(True, accuracy(0.7), faults=(fault,)),
        decide(drifted(False, images=10), accuracy(None), (), NOW),
    ]
    assert [(each.action, each.health) for each in said] == [
        ("nothing", "healthy"),
        ("nothing", "drift"),
        ("retrain", "harmful"),
        ("page", "data fault"),
        ("nothing", "too little data"),
    ]
    assert "20 points" in said[2].reason
    assert said[2].train_on
    assert "brightness: lower: median 0.31 → 0.18" in said[2].evidence


def test_an_estimate_that_is_not_reliable_calls_a_person_unless_it_is_clear():
    unsure = accuracy(0.80, reach=0.2, reliable=False)
    assert say(True, unsure).action == "page"
    assert "label" in say(True, unsure).reason
    assert say(True, accuracy(0.5, reach=0.2, reliable=False)).action == "retrain"


def test_labels_go_before_what_is_foretold():
    good = replace(accuracy(0.7), labelled=labelled(0.9))
    assert say(True, good).health == "drift"
    bad = replace(accuracy(0.9), labelled=labelled(0.8))
    decision = say(False, bad)
    assert (decision.action, decision.health) == ("retrain", "harmful")
    assert "900 images that labels came for" in decision.train_on


def test_one_training_an_episode_and_none_before_the_cooldown_is_over():
    bad = accuracy(0.7)
    first = say(True, bad)
    past = after_training(first, NOW)
    again = say(True, bad, past=past, now=NOW + 30 * DAY)
    assert (again.action, again.health) == ("nothing", "harmful")
    pushed = after_push(past)
    soon = say(True, bad, past=pushed, now=NOW + DAY / 2)
    assert (soon.action, soon.health) == ("nothing", "harmful")
    assert "12.0 hours" in soon.reason
    assert say(True, bad, past=pushed, now=NOW + 2 * DAY).action == "retrain"


def test_a_training_that_came_to_no_version_calls_a_person():
    past = replace(after_training(say(True, accuracy(0.7)), NOW), vain="run a failed")
    decision = say(True, accuracy(0.7), past=past, now=NOW + DAY)
    assert (decision.action, decision.health) == ("page", "harmful")
    assert "came to no new version: run a failed" in decision.reason


def test_a_clock_that_was_ahead_holds_no_training_up_for_longer_than_the_cooldown():
    bad = accuracy(0.7)
    pushed = after_push(after_training(say(True, bad), NOW + 365 * DAY))
    assert say(True, bad, past=pushed, now=NOW + DAY).action == "retrain"
    assert say(True, bad, past=pushed, now=NOW + 364.5 * DAY).action == "nothing"


def test_trainings_that_do_not_help_are_not_repeated_for_ever():
    bad, past, actions = accuracy(0.7), Past(), []
    for day in range(8):
        decision = say(True, bad, past=past, now=NOW + 2 * day * DAY)
        actions.append(decision.action)
        past = decision.past
        if decision.action == "retrain":
            past = after_push(after_training(decision, NOW + 2 * day * DAY))
    assert actions == ["retrain", "retrain", *["page"] * 6]
    healthy = say(False, accuracy(0.9), past=past)
    assert say(True, bad, past=healthy.past, now=NOW + 90 * DAY).action == "retrain"


def test_an_episode_ends_where_the_harm_does():
    past = after_training(say(True, accuracy(0.7)), NOW)
    over = say(False, accuracy(0.9), past=past, now=NOW + DAY)
    assert over.past.episode is None
    assert say(True, accuracy(0.7), past=over.past, now=NOW + 3 * DAY).action == "retrain"


def test_senseless_settings_are_refused():
    with pytest.raises(ValidationError, match=r"harm\n.*greater than 0"):
        DecisionSettings(harm=0.0)


def test_too_few_images_since_the_change_are_waited_for():
    said = say(True, replace(accuracy(None), why="30 images are too few; 50 are needed"))
    assert (said.action, said.health) == ("nothing", "drift")
    assert "30 images are too few" in said.reason


def test_a_part_of_the_interval_has_to_speak_for_a_word_too():
    # A loss of more than 0.05 is worth a training, 0.9 is what was right before.
    doubtful, clear = accuracy(0.84, reach=0.06), accuracy(0.82, reach=0.06)
    assert [say(True, each).action for each in (doubtful, clear)] == ["nothing", "retrain"]
    near, far = accuracy(0.9, reach=0.15), accuracy(0.9, reach=0.3)
    unsure = [replace(each, reliable=False) for each in (near, far)]
    assert [say(True, each).action for each in unsure] == ["nothing", "page"]


def test_a_person_is_not_called_for_what_further_images_are_going_to_tell():
    few = replace(accuracy(0.84, reach=0.15, reliable=False), images=60)
    many = replace(accuracy(0.84, reach=0.12, reliable=False), images=2_000)
    assert [say(True, each).action for each in (few, many)] == ["nothing", "page"]
