"""`graft monitor` as a user runs it, on the log of a drawn service."""

import csv
import json
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import IO

import pytest
import simulated_service
from free_ports import free_port
from graft_command import Answer, await_that, finish, graft_here, start
from request_logs import write_log_file
from simulated_service import CLASSES, START, Images

from models.observation.kept_images import kept_image_path
from models.observation.reference import REFERENCE, write_reference
from pipeline.needed.retrainings import Retraining, note_retraining


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    write_reference(
        root / "serving" / "graft" / "3" / "assets.extra" / REFERENCE, simulated_service.reference()
    )
    simulated_service.log(root / "requests", Images(400, 3))
    return root


def _monitor(workspace: Path, *arguments: str) -> Answer:
    return graft_here(workspace.parent, "monitor", "--workspace", workspace, *arguments)


def _darker(workspace: Path) -> None:
    write_log_file(workspace / "requests", Images(300, 4, darker=0.15).entries(START + 7_200.0))


def _evidence(workspace: Path) -> bytes:
    return (workspace / "monitoring" / "evidence.state").read_bytes()


def test_the_exit_code_and_the_files_say_how_the_model_is(workspace: Path) -> None:
    calm = _monitor(workspace)
    assert calm.code == 0, calm.out + calm.err
    assert "400 different ones" in calm.out
    _darker(workspace)
    drift = _monitor(workspace, "--json")
    told = json.loads(drift.out)
    assert drift.code == told["exit_code"] == {"drift": 10, "harmful": 11}[told["health"]]
    folder = workspace / "monitoring"
    assert json.loads((folder / "health.json").read_text("utf-8")) == told
    assert "brightness" in (folder / "health.html").read_text("utf-8")
    assert 'graft_monitor_drift_alarm{model="graft",signal="brightness",version="3"} 1.0' in (
        folder / "metrics.prom"
    ).read_text("utf-8")


def test_without_a_log_it_says_what_is_missing(workspace: Path) -> None:
    for file in (workspace / "requests").iterdir():
        file.unlink()
    assert _monitor(workspace).code == 13
    (workspace / "requests").rmdir()
    answer = _monitor(workspace)
    assert answer.code == 2
    assert "graft serve" in answer.err


def test_it_follows_answers_prometheus_and_is_alone(workspace: Path) -> None:
    port = free_port()
    process = start(
        "monitor", "--follow", "--every", "1", "--metrics-port", str(port),
        "--workspace", workspace,
    )  # fmt: skip
    try:
        health = workspace / "monitoring" / "health.json"
        await_that(health.is_file, "the first look is over")
        assert _monitor(workspace).code == 5
        _darker(workspace)
        page = f"http://127.0.0.1:{port}/metrics"
        alarm = 'graft_monitor_drift_alarm{model="graft",signal="brightness",version="3"} 1.0'
        await_that(lambda: alarm in _read(page), "Prometheus is told")
        looked = health.read_bytes()
        await_that(lambda: health.read_bytes() != looked, "there is a look that finds nothing new")
    finally:
        process.send_signal(signal.SIGTERM)
    answer = finish(process)
    assert answer.code in (10, 11)
    decisions = [line for line in answer.out.splitlines() if line.startswith("  decision")]
    assert answer.out.startswith("Healthy.")
    assert 2 <= len(decisions) <= 6, answer.out  # as often as something moved, not each second


def test_a_fault_that_comes_again_is_told_again_and_so_is_its_end(workspace: Path) -> None:
    process = start("monitor", "--follow", "--every", "1", "--workspace", workspace)
    assert process.stdout is not None
    assert process.stderr is not None
    log, away = workspace / "requests", workspace / "away"
    try:
        for _ in range(2):
            _read_to("  page", process.stdout)
            log.rename(away)
            _read_to("graft: The request log", process.stderr)
            away.rename(log)
        _read_to("  page", process.stdout)
        log.rename(away)
        _read_to("graft: The request log", process.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        answer = finish(process)
    assert answer.code == 2  # as its last look


def _read_to(beginning: str, lines: IO[str]) -> None:
    while not (line := lines.readline()).startswith(beginning):
        assert line, "it ended"


def _read(page: str) -> str:
    with urllib.request.urlopen(page, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def test_a_killed_monitor_comes_to_the_same(workspace: Path, tmp_path: Path) -> None:
    for number in range(3):
        process = start("monitor", "--follow", "--every", "1", "--workspace", workspace)
        part = Images(120, 10 + number, darker=0.1 * (number > 0))
        write_log_file(workspace / "requests", part.entries(START + 9_000.0 * (number + 1)))
        # Anywhere from its imports to the third look.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0 + 1.5 * number)
        process.kill()
        process.communicate()
    again = _monitor(workspace)
    seen = _evidence(workspace)
    for file in (workspace / "monitoring").iterdir():
        file.unlink()
    assert _monitor(workspace).code == again.code
    assert _evidence(workspace) == seen


def test_labels_join_their_answers_and_their_images_are_kept(workspace: Path) -> None:
    asked = Images(400, 3)
    log = workspace / "requests"
    for digest in asked.digests[:60]:
        file = kept_image_path(log, digest)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"the bytes of " + digest.encode())
    assert _monitor(workspace).code == 0
    rows = [
        f"{digest},{CLASSES[label]}"
        for digest, label in zip(asked.digests[:100], asked.labels, strict=False)
    ]
    file = workspace.parent / "labels.csv"
    file.write_text("\n".join(["digest,label", *rows, f"{'0' * 64},cat", "no digest,cat"]))
    told = graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    assert told.code == 0, told.err
    assert "101 labels; 100 are of images in the request log" in told.out
    assert "1 rows were left out" in told.out
    manifest = workspace / "monitoring" / "labelled" / "labelled.jsonl"
    assert len(manifest.read_text("utf-8").splitlines()) == 60

    labelled = json.loads(_monitor(workspace, "--json").out)["accuracy"]["labelled"]
    right = (asked.probabilities.argmax(1) == asked.labels)[:100].mean()
    assert labelled["images"] == 100
    assert labelled["value"] == pytest.approx(right)
    # Once more, nothing changes: a label counts once.
    graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    assert json.loads(_monitor(workspace, "--json").out)["accuracy"]["labelled"] == labelled


def test_suggested_images_are_a_manifest_whose_labels_do_not_count_as_a_fair_sample(
    workspace: Path,
) -> None:
    told = graft_here(workspace.parent, "labels", "--suggest", "7", "--workspace", workspace)
    assert told.code == 0, told.err
    manifest = workspace / "monitoring" / "to-label.csv"
    with manifest.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 7
    with manifest.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "label": "cat"} for row in rows)
    assert graft_here(workspace.parent, "labels", manifest, "--workspace", workspace).code == 0
    filled = manifest.read_bytes()
    again = graft_here(workspace.parent, "labels", "--suggest", "9", "--workspace", workspace)
    assert again.code == 2
    assert "is there already, with 7 labels" in again.err
    assert manifest.read_bytes() == filled
    assert json.loads(_monitor(workspace, "--json").out)["accuracy"]["labelled"] is None


def test_what_cannot_be_written_is_named_and_not_the_list_beside_it(workspace: Path) -> None:
    (workspace / "monitoring" / "suggested.json").mkdir(parents=True)
    told = graft_here(
        workspace.parent, "labels", "--suggest", "3", "--output", workspace.parent / "list.csv",
        "--workspace", workspace,
    )  # fmt: skip
    assert told.code == 1
    assert "suggested.json" in told.err
    assert "list.csv cannot be written" not in told.err


def test_a_retraining_that_failed_calls_a_person(workspace: Path) -> None:
    asked = Images(400, 3)
    wrong = ["dog" if label == "cat" else "cat" for label in asked.labels]
    file = workspace.parent / "labels.csv"
    rows = [f"{digest},{label}" for digest, label in zip(asked.digests, wrong, strict=True)]
    file.write_text("\n".join(["digest,label", *rows]))
    graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    decision = json.loads(_monitor(workspace, "--json").out)["decision"]
    assert decision["action"] == "retrain"
    run = workspace / "runs" / "20260101-000000-000"
    run.mkdir(parents=True)
    made = Retraining(decision["episode"], time.time(), run.name, "")
    note_retraining(workspace / "monitoring", made)
    assert "a training for this was begun already" in _monitor(workspace).out
    (run / "summary.json").write_text('{"status": "failed", "reason": "1 problem."}')
    told = _monitor(workspace)
    assert f"came to no new version: run {run.name} failed" in told.out
    assert json.loads(_monitor(workspace, "--json").out)["decision"]["action"] == "page"


def test_labels_of_no_class_of_the_model_are_told(workspace: Path) -> None:
    digests = Images(400, 3).digests
    file = workspace.parent / "labels.csv"
    file.write_text(f"digest,label\n{digests[0]},zebra\n{digests[1]},zebra\n{digests[2]},NaN\n")
    told = graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    assert told.code == 0, told.err
    assert "2 labels; 2 are of images in the request log" in told.out
    assert "2 are of classes that the model does not know, and count as wrong" in told.out
    assert "'zebra'" in told.out
    assert "give its image's right label before the next run" in told.out


def test_labels_that_meet_no_image_or_contradict_themselves_are_told(workspace: Path) -> None:
    digests = Images(400, 3).digests
    file = workspace.parent / "labels.csv"
    rows = [f",{digests[0]},cat,", f",{digests[0]},dog,", "lost-1,,cat,0", "lost-1,,cat,1"]
    rows += ["lost-2,,cat,", "lost-2,,dog,"]
    file.write_text("\n".join(["request_id,digest,label,row", *rows]))
    told = graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    assert told.code == 0, told.err
    assert "4 labels; 1 are of images in the request log" in told.out
    assert "3 wait for an image that is not in the log" in told.out
    assert "its ids, 'lost-1', 'lost-2'." in told.out
    assert "2 have two rows that say different labels, of which the later counts" in told.out
    assert digests[0] in told.out
    assert "each row needs its number" in told.out


def test_a_file_that_nobody_filled_in_is_called_so(workspace: Path) -> None:
    file = workspace.parent / "labels.csv"
    file.write_text(f"digest,label\n{Images(400, 3).digests[0]},\n")
    told = graft_here(workspace.parent, "labels", file, "--workspace", workspace)
    assert told.code == 0, told.err
    assert "No row of" in told.out
    assert "fill in its column label" in told.out
