from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from served_digits import ServedDigits, served_digits

from models.errors import GraftError
from models.observation.reference import read_reference, write_reference
from monitoring.accuracy.estimator import AccuracyEstimator, AccuracySettings


@pytest.fixture(scope="module")
def served() -> ServedDigits:
    return served_digits()


def noisy(pictures: np.ndarray, spread: float) -> np.ndarray:
    grain = np.random.default_rng(1).normal(0.0, spread, pictures.shape)
    return np.clip(pictures + grain, 0, 255).astype(np.uint8)


def test_foretells_the_accuracy_of_clean_and_of_changed_pictures(served):
    for spread in (0.0, 60.0, 120.0):
        observed = served.observe(noisy(served.pictures, spread))
        truth = float((observed.class_ids == served.labels).mean())
        estimator = AccuracyEstimator(served.reference)
        estimator.add(observed)
        report = estimator.report()
        assert report.estimate == pytest.approx(truth, abs=0.06), spread
        assert report.low <= truth <= report.high, spread
        assert report.reliable, spread
    # The last one is far off by confidence alone, so the test could fail.
    assert report.by_confidence is not None
    assert report.by_confidence - truth > 0.1


def test_pictures_like_none_before_are_called_unreliable(served):
    observed = served.observe(255 - served.pictures[:200])
    estimator = AccuracyEstimator(served.reference)
    estimator.add(observed)
    report = estimator.report()
    truth = float((observed.class_ids == served.labels[:200]).mean())
    # The estimate is far off indeed.
    assert report.estimate is not None
    assert abs(report.estimate - truth) > 0.1
    assert not report.reliable
    assert "unlike" in report.why


def test_goes_on_from_its_state_to_the_last_bit_whatever_the_batches(served, tmp_path):
    settings = AccuracySettings(window=150, least=20)
    observed = served.observe(noisy(served.pictures, 40.0))
    whole = AccuracyEstimator(served.reference, settings)
    for at in range(0, len(observed), 7):
        whole.add(observed[at : at + 7])
    whole.add_labels(observed[:100], served.labels[:100])
    parts = AccuracyEstimator(served.reference, settings)
    for at in range(0, len(observed), 230):
        parts.add(observed[at : at + 230])
        some = slice(at, min(at + 230, 100))
        parts.add_labels(observed[some], served.labels[:100][some])
        arrays: Any = parts.state()
        np.savez(tmp_path / "state.npz", **arrays)
        with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
            parts = AccuracyEstimator.from_state(served.reference, settings, dict(state))
    assert parts.report() == whole.report()
    assert parts.state().keys() == whole.state().keys()
    for name, values in whole.state().items():
        np.testing.assert_array_equal(parts.state()[name], values)
    assert whole.report().images == 150


def test_labels_give_the_true_accuracy_and_the_error_of_what_was_foretold(served):
    observed = served.observe(noisy(served.pictures, 80.0))
    estimator = AccuracyEstimator(served.reference)
    assert estimator.report().labelled is None
    estimator.add_labels(observed, served.labels)
    labelled = estimator.report().labelled
    assert labelled is not None
    assert labelled.images == len(observed)
    assert labelled.value == float((observed.class_ids == served.labels).mean())
    assert labelled.low < labelled.value < labelled.high
    assert labelled.foretold is not None
    assert labelled.error == pytest.approx(labelled.foretold - labelled.value)


def test_a_label_that_comes_anew_counts_as_if_it_had_come_at_once(served):
    observed = served.observe(noisy(served.pictures[:300], 80.0))
    settings = AccuracySettings(window=200, least=20)
    mended, at_once = (AccuracyEstimator(served.reference, settings) for _ in range(2))
    wrong = served.labels[:300].copy()
    wrong[::7] = (wrong[::7] + 1) % 10
    mended.add_labels(observed, wrong)
    differ = mended.report().labelled
    mended.correct_labels(observed[::7], wrong[::7], served.labels[:300:7])
    at_once.add_labels(observed, served.labels[:300])
    assert mended.report() == at_once.report()
    assert mended.report().labelled != differ


def test_too_few_images_say_nothing_and_old_ones_can_be_left_out(served):
    observed = served.observe(served.pictures)
    estimator = AccuracyEstimator(served.reference)
    assert estimator.report().estimate is None
    estimator.add(observed)
    since = float(observed.times[-100])
    assert estimator.report(since).images == 100
    assert estimator.report(float(observed.times[-10])).estimate is None
    set_back = served.observe(served.pictures[:150], start=1.6e9)
    estimator.add(set_back)
    assert estimator.report(since).images == 250
    assert estimator.report(1.8e9).images == 0


def test_the_intervals_of_all_classes_hold_together(served):
    pictures = served.pictures.copy()
    hit = np.isin(served.labels, (1, 7))
    pictures[hit] = noisy(pictures[hit], 100.0)
    for shown, may_fall in ((served.pictures, False), (pictures, True)):
        observed = served.observe(shown)
        estimator = AccuracyEstimator(served.reference)
        estimator.add(observed)
        parts = estimator.report().by_class
        assert len(parts) > 5
        for part in parts:
            given = observed.class_ids == served.reference.classes.index(part.name)
            truth = (served.labels == observed.class_ids)[given].mean()
            assert part.low <= truth <= part.high, part
            assert may_fall or not part.fell, part


def test_a_reference_keeps_its_stressed_answers(served, tmp_path):
    write_reference(tmp_path / "reference.npz", served.reference)
    again = read_reference(tmp_path / "reference.npz")
    assert again.stressed is not None
    for name in ("projections", "probabilities", "signals", "labels", "changes", "strengths"):
        np.testing.assert_array_equal(
            getattr(again.stressed, name), getattr(served.reference.stressed, name)
        )


def test_without_stressed_answers_it_is_less_sure(served):
    kept = {name: getattr(served.reference, name) for name in served.reference.__dataclass_fields__}
    plain = type(served.reference)(**{**kept, "stressed": None})
    estimator = AccuracyEstimator(plain)
    estimator.add(served.observe(served.pictures))
    assert estimator.report().reliable
    estimator = AccuracyEstimator(plain)
    estimator.add(served.observe(noisy(served.pictures, 120.0)))
    assert not estimator.report().reliable


def test_a_reference_without_images_is_refused(served):
    kept = {name: getattr(served.reference, name) for name in served.reference.__dataclass_fields__}
    for name in ("projections", "probabilities", "signals", "labels", "digests", "names"):
        kept[name] = kept[name][:3]
    with pytest.raises(GraftError, match="holds 3 held-out images"):
        AccuracyEstimator(type(served.reference)(**{**kept, "thumbnails": ()}))


def test_senseless_settings_are_refused():
    with pytest.raises(ValidationError, match="least is 60"):
        AccuracySettings(window=50, least=60)
    with pytest.raises(ValidationError, match="doubt"):
        AccuracySettings(doubt=1.5)
