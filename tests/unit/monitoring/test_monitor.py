"""Looks at a log of drawn images: what is said, and what is remembered."""

import json
from pathlib import Path

import pytest
import simulated_service
from request_logs import failed, write_log_file
from simulated_service import START, Images

from models.errors import UsageError
from models.observation.reference import Reference
from monitoring.decision import DecisionSettings
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.label_inbox import LabelInbox
from monitoring.monitor import Monitor, Places

REFERENCE = simulated_service.reference()
LATER = START + 9_999.0


def _reference(version: int) -> Reference | None:
    return REFERENCE if version == 3 else None


def _monitor(
    folder: Path, memory: str = "memory", settings: DriftSettings | None = None
) -> Monitor:
    places = Places(folder / "log", folder / memory)
    return Monitor(places, "graft", _reference, settings or DriftSettings(), DecisionSettings())


def _evidence(folder: Path, memory: str = "memory") -> bytes:
    return (folder / memory / "evidence.state").read_bytes()


def test_images_as_before_are_healthy_and_darker_ones_are_told(tmp_path: Path) -> None:
    calm, dark = Images(600, 3), Images(200, 4, darker=0.1)
    simulated_service.log(tmp_path / "log", calm)
    monitor = _monitor(tmp_path)
    first = monitor.look(3, LATER)
    assert (first.decision.health, first.exit_code, first.images) == ("healthy", 0, 600)
    write_log_file(tmp_path / "log", dark.entries(START + 3600.0))
    second = monitor.look(3, LATER)
    assert second.images == 800
    assert second.drift is not None
    (moved, *_) = [each for each in second.drift.signals if each.alarm]
    assert moved.name == "brightness"
    assert moved.since is not None
    assert START + 580 <= moved.since[0] <= moved.since[1] <= START + 3620
    assert set(moved.heaviest) <= set(dark.digests)


def test_a_clock_that_was_set_back_leaves_an_interval_and_an_estimate(tmp_path: Path) -> None:
    calm, dark = Images(300, 3), Images(200, 4, darker=0.1)
    simulated_service.log(tmp_path / "log", calm)
    write_log_file(tmp_path / "log", dark.entries(START - 86_400.0))
    found = _monitor(tmp_path).look(3, LATER)
    assert found.drift is not None
    (moved, *_) = [each for each in found.drift.signals if each.alarm]
    assert moved.since is not None
    assert moved.since[0] <= moved.since[1]
    assert found.accuracy.images >= 150


def test_many_short_lives_remember_what_one_long_one_does(tmp_path: Path) -> None:
    parts = [Images(150, 5), Images(70, 6, darker=0.1), Images(90, 7)]
    for number, part in enumerate(parts):
        write_log_file(tmp_path / "log", part.entries(START + 600.0 * number))
        _monitor(tmp_path, "short").look(3, LATER)
        _monitor(tmp_path, "short").look(3, LATER + 1)
    _monitor(tmp_path, "long").look(3, LATER)
    assert _evidence(tmp_path, "short") == _evidence(tmp_path, "long")


def test_a_damaged_memory_is_said_and_gathered_anew(tmp_path: Path) -> None:
    simulated_service.log(tmp_path / "log", Images(100, 3))
    _monitor(tmp_path).look(3, LATER)
    whole = _evidence(tmp_path)
    (tmp_path / "memory" / "evidence.state").write_bytes(whole[:-100])
    found = _monitor(tmp_path).look(3, LATER)
    assert found.images == 100
    assert "gathered anew" in found.requests.damaged["evidence.state"]
    assert _evidence(tmp_path) == whole


def test_a_damaged_file_of_labels_costs_itself_alone(tmp_path: Path) -> None:
    asked = Images(100, 3)
    simulated_service.log(tmp_path / "log", asked)
    labels = tmp_path / "memory" / "labels"
    labels.mkdir(parents=True)
    (labels / "000001-a.json").write_text("[[")
    (labels / "000002-b.json").write_text("7")
    rows = [[digest, -1, "cat"] for digest in asked.digests[:30]]
    (labels / "000003-c.json").write_text(json.dumps(rows))
    monitor = _monitor(tmp_path)
    for _ in range(2):
        found = monitor.look(3, LATER)
        assert found.accuracy.labelled is not None
        assert found.accuracy.labelled.images == 30
        assert set(found.requests.damaged) == {"000001-a.json", "000002-b.json"}
    assert "Give its labels to `graft labels` again" in found.requests.damaged["000001-a.json"]


def test_the_last_label_of_an_image_counts_and_may_be_taken_back(tmp_path: Path) -> None:
    asked = Images(60, 3)
    simulated_service.log(tmp_path / "log", asked)
    inbox, monitor = LabelInbox(tmp_path / "memory"), _monitor(tmp_path)
    answers = asked.probabilities.argmax(axis=1)
    seen = []
    for right in (60, 20, 60, 60):
        wrong = [(given + 1) % 3 if at >= right else given for at, given in enumerate(answers)]
        names = [simulated_service.CLASSES[place] for place in wrong]
        inbox.put({(d, -1): name for d, name in zip(asked.digests, names, strict=True)})
        labelled = monitor.look(3, LATER).accuracy.labelled
        assert labelled is not None
        seen.append((labelled.images, round(60 * labelled.value), len(inbox.names())))
    assert seen == [(60, 60, 1), (60, 20, 2), (60, 60, 3), (60, 60, 3)]
    assert _monitor(tmp_path, "memory").look(3, LATER).accuracy.labelled == labelled


def test_other_settings_begin_anew(tmp_path: Path) -> None:
    simulated_service.log(tmp_path / "log", Images(100, 3))
    _monitor(tmp_path).look(3, LATER)
    other = DriftSettings(alpha=0.05)
    assert _monitor(tmp_path, settings=other).look(3, LATER).images == 100
    assert _monitor(tmp_path, settings=other).look(3, LATER).images == 100


def test_a_damaged_file_of_the_log_costs_itself_only(tmp_path: Path) -> None:
    simulated_service.log(tmp_path / "log", Images(100, 3))
    broken = tmp_path / "log" / "1800000000000001-00000000.parquet"
    broken.write_bytes(b"PAR1 and no more")
    found = _monitor(tmp_path).look(3, LATER)
    assert found.images == 100
    assert list(found.requests.damaged) == [broken.stem]


def test_errors_are_counted_beside_the_answers(tmp_path: Path) -> None:
    entries = [*Images(40, 3).entries(), *(failed(number) for number in range(10))]
    write_log_file(tmp_path / "log", [*entries])
    found = _monitor(tmp_path).look(3, LATER).requests
    assert found.by_status["OK"] == 40
    assert sum(answers for answers, _ in found.by_minute.values()) == found.answers


def test_a_version_without_a_reference_is_refused_with_how_to_mend_it(tmp_path: Path) -> None:
    simulated_service.log(tmp_path / "log", Images(10, 3))
    with pytest.raises(UsageError, match="graft run"):
        _monitor(tmp_path).look(4, LATER)


def test_json_has_no_figure_that_json_does_not_know(tmp_path: Path) -> None:
    simulated_service.log(tmp_path / "log", Images(60, 3))
    found = _monitor(tmp_path).look(3, LATER).to_json()
    assert found["exit_code"] == 0
    assert all(signal["reference_median"] is not None for signal in found["drift"]["signals"][:1])
