import io
from dataclasses import replace

import numpy as np
import pytest
from drifting_images import CLASSES, drawn, reference

from models.errors import GraftError
from monitoring.evidence import DriftEvidence, DriftSettings
from monitoring.observations import Observations

CLEAN, SHIFTED = 300, 150


def looked_at(*parts: Observations, images: int = 300) -> DriftEvidence:
    evidence = DriftEvidence(reference(images), DriftSettings())
    for part in parts:
        evidence.add(part)
    return evidence


def through_a_file(state: dict) -> dict:
    buffer = io.BytesIO()
    np.savez(buffer, **state)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as arrays:
        return dict(arrays)


def assert_same_state(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        assert array.tobytes() == other[name].tobytes(), name


@pytest.fixture(scope="module")
def darker() -> DriftEvidence:
    return looked_at(drawn(CLEAN, 2), drawn(SHIFTED, 3, brightness=0.3, start=CLEAN))


def test_any_cut_of_the_stream_and_any_restart_gives_the_same_to_the_last_bit():
    stream = [
        drawn(CLEAN, 2),
        drawn(SHIFTED, 3, brightness=0.3, start=CLEAN),
        drawn(900, 4, start=CLEAN + SHIFTED),
    ]
    whole = looked_at(*stream)
    assert whole.report().alarms >= 1
    random = np.random.default_rng(5)
    settings, pushed = DriftSettings(), reference()
    evidence = DriftEvidence(pushed, settings)
    for part in stream:
        cuts = np.sort(random.choice(np.arange(1, len(part)), 8, replace=False))
        for start, end in zip([0, *cuts], [*cuts, len(part)], strict=True):
            state = through_a_file(evidence.state())
            evidence = DriftEvidence.from_state(pushed, settings, state)
            evidence.add(part[start:end])
    assert_same_state(evidence.state(), whole.state())
    assert repr(evidence.report()) == repr(whole.report())


def test_images_that_were_seen_before_change_nothing():
    stream = drawn(CLEAN, 2)
    once = looked_at(stream)
    again = looked_at(stream, stream[::-1], stream[10:50])
    assert_same_state(again.state(), once.state())
    assert again.report().images == CLEAN


def test_a_shift_is_told_within_thirty_images(darker):
    assert not looked_at(drawn(CLEAN, 2)).report().alarm
    early = looked_at(drawn(CLEAN, 2), drawn(SHIFTED, 3, brightness=0.3, start=CLEAN)[:30])
    assert early.report().alarm
    assert darker.report().alarm


def test_the_report_says_which_signal_which_way_since_when_and_by_which_images(darker):
    moved = [signal for signal in darker.report().signals if signal.alarm]
    assert moved[0].name == "brightness"
    assert "lower" in moved[0].direction
    assert moved[0].reference_median == pytest.approx(0.5, abs=0.03)
    assert moved[0].now_median == pytest.approx(0.3, abs=0.03)
    since = moved[0].since
    assert since is not None
    assert CLEAN - 15 <= since[0] <= CLEAN <= since[1] + 5 <= CLEAN + 20
    late = set(drawn(SHIFTED, 3, brightness=0.3).digests)
    assert moved[0].heaviest
    assert len(set(moved[0].heaviest) - late) <= 1
    assert all(signal.since is None for signal in darker.report().signals if not signal.alarm)


def test_the_alarm_ends_when_the_images_are_what_they_were(darker):
    back = looked_at(
        drawn(CLEAN, 2),
        drawn(SHIFTED, 3, brightness=0.3, start=CLEAN),
        drawn(2000, 6, start=CLEAN + SHIFTED),
    )
    assert darker.report().alarm
    assert not back.report().alarm
    assert back.report().alarms == 1


def test_an_alarm_lasts_as_long_as_the_shift():
    assert looked_at(drawn(CLEAN, 2), drawn(3000, 3, brightness=0.3)).report().alarm


def test_a_shift_too_little_in_every_number_is_found_in_all_together():
    evidence = looked_at(drawn(CLEAN, 2), drawn(500, 3, offset=0.3))
    assert evidence.report().alarm
    assert evidence.report().signals[0].name == "direction of late"
    assert evidence.report().signals[0].direction


def test_classes_that_became_rare_are_named():
    shares = np.array([0.02, 0.02, 0.24, 0.24, 0.24, 0.24])
    evidence = looked_at(drawn(CLEAN, 2), drawn(500, 3, shares=shares))
    named = {signal.name: signal for signal in evidence.report().signals if signal.alarm}
    assert any(name in named["class given"].direction for name in CLASSES[:2])


def test_a_small_reference_raises_no_false_alarms():
    alarms = sum(looked_at(drawn(500, 100 + seed), images=50).report().alarms for seed in range(15))
    assert alarms == 0


def test_what_the_model_does_not_say_is_left_out():
    def without(observations: Observations) -> Observations:
        return replace(
            observations,
            projections=np.full_like(observations.projections, np.nan),
            entropies=np.full_like(observations.entropies, np.nan),
        )

    quiet, dark = without(drawn(CLEAN, 2)), without(drawn(SHIFTED, 3, brightness=0.3))
    assert not looked_at(quiet).report().alarm
    assert looked_at(quiet, dark).report().signals[0].name == "brightness"


def test_no_image_is_no_news():
    report = looked_at(drawn(0, 2)).report()
    assert not report.alarm
    assert report.images == 0
    assert report.run_length > 100_000


def test_a_state_of_another_kind_of_reference_is_refused():
    state = looked_at(drawn(50, 2)).state()
    state["stakes"] = state["stakes"][1:]
    with pytest.raises(GraftError, match="stakes"):
        DriftEvidence.from_state(reference(), DriftSettings(), state)
