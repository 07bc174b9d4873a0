"""Tests of the directions of changes that are known before the first request."""

from dataclasses import replace

import numpy as np
import pytest
from drifting_images import CLASSES, drawn, reference

from models.observation.reference import Reference, StressedAnswers
from models.observation.stress import CHANGES, KINDS
from monitoring.evidence import DriftEvidence, DriftSettings
from monitoring.evidence.distances import whole
from monitoring.evidence.known_changes import KnownChanges
from monitoring.observations import Observations

COVERED = KINDS.index("covered")


def stressed(images: int = 40 * CHANGES, by: float = 4.0) -> Reference:
    """Images that are made worse move so far along a component that is the change's own."""
    changes = (np.arange(images) % CHANGES).astype(np.int32)
    answers = drawn(images, 77)
    moved = answers.projections.astype(np.float64)
    moved[np.arange(images), changes // 2] += by
    return replace(
        reference(500),
        stressed=StressedAnswers(
            projections=moved.astype(np.float16),
            probabilities=np.full((images, len(CLASSES)), 1 / len(CLASSES), np.float16),
            signals=answers.signals,
            labels=answers.class_ids,
            changes=changes,
            strengths=np.random.default_rng(0).random(images, np.float32),
        ),
    )


def partly_covered(images: int, seed: int, share: float) -> Observations:
    answers = drawn(images, seed, start=300.0)
    moved = answers.projections.astype(np.float64)
    moved[np.random.default_rng(seed).random(images) < share, COVERED] += 4.0
    return replace(answers, projections=moved.astype(np.float16))


def alarms(pushed: Reference, *parts: Observations) -> tuple[int, str]:
    """Alarms, and the signal that weighs most."""
    evidence = DriftEvidence(pushed, DriftSettings())
    for part in parts:
        evidence.add(part)
    report = evidence.report()
    return report.alarms, report.signals[0].name


def test_a_change_of_a_part_is_told_sooner_where_it_is_known():
    stream = drawn(300, 2), partly_covered(150, 3, share=0.2)
    assert alarms(stressed(), *stream) == (1, "like covered images")
    assert alarms(reference(500), *stream)[0] == 0


def test_images_as_they_were_raise_no_alarm():
    assert alarms(stressed(), drawn(1500, 2))[0] == 0


def test_each_direction_is_that_of_its_own_change():
    changes = KnownChanges(stressed())
    assert changes.kinds == KINDS
    answers = drawn(400, 5)
    before, ways = changes.of(whole(answers.projections)).mean(axis=0), []
    for kind in range(len(KINDS)):
        moved = answers.projections.astype(np.float64)
        moved[:, kind] += 2.0
        ways.append(changes.of(whole(moved)).mean(axis=0) - before)
    assert np.argmax(ways, axis=1).tolist() == list(range(len(KINDS)))


@pytest.mark.parametrize("images", [0, 18 * len(KINDS)])
def test_too_few_images_of_a_change_make_no_direction(images: int):
    assert KnownChanges(stressed(images)).kinds == ()


def test_a_change_that_hardly_moves_images_has_no_direction():
    # It would be that of the images that happened to be changed, which are the reference's.
    assert KnownChanges(stressed(by=0.5)).kinds == ()
