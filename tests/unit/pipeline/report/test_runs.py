"""The report of runs that ended in different ways, and the summary for machines."""

import json
from datetime import datetime, timezone

import pytest
from finished_run import CLASSES, EVIL
from visible_text import visible_text

from components.class_changes import ClassChange
from components.findings import write_class_changes
from models.intervals import share_interval
from pipeline.report.run_record import RunRecord, StageRecord
from pipeline.report.stage_notes import findings_lines, stage_note
from pipeline.report.write import write_report
from pipeline.terminal.closing_lines import print_summary


def test_the_summary_keeps_its_contract(run):
    write_report(run.record, run.folder / "out")
    summary = json.loads((run.folder / "out" / "summary.json").read_text())
    assert summary["status"] == "pushed"
    data = summary["data"]
    words = (
        "706 offered: 700 used (30 by data.replay), 3 refused (1 truncated, 1 not_an_image, "
        "1 too_many_pixels), "
        "2 passed over (2 sidecar), 1 unknown (1 damaged)"
    )
    assert data.pop("labels") == {
        "weighed": 490,
        "suspects": 2,
        "not_trained_on": 1,
        "words": "2 of 490 labels look wrong (0.4%), 1 left out",
    }
    assert (run.folder / "out" / "label_errors.json").exists()
    findings = data.pop("findings")
    assert (data.pop("class_changes"), data.pop("kept_test")) == (None, None)
    assert findings["counts"] == {"error": 0, "warning": 1, "info": 0}
    assert [each["check"] for each in findings["list"]] == ["near_duplicate_across_splits"]
    assert data == {
        "images": 700,
        "classes": 10,
        "quarantined": 3,
        "fingerprint": "5f0c41d0aa",
        "offered": 706,
        "passed_over": 2,
        "unknown": 1,
        "left_out": {
            "refused": {"truncated": 1, "not_an_image": 1, "too_many_pixels": 1},
            "passed_over": {"sidecar": 2},
            "unknown": {"damaged": 1},
        },
        "words": words,
        "unlabelled": "",
        "target": "",
        "layout": "Each folder is a class.",
        "identical": 25,
        "workers": {},
        "embedded_by": {},
        "replayed": 30,
        "further_labels": {
            "state": {
                "images": 500,
                "splits": {"train": 300, "validation": 80, "test": 120},
                "classes": {EVIL: 200, "new": 300},
                "words": "500 of 700 images labelled, in 2 classes",
            }
        },
    }
    assert summary["stages"]["ImageValidator"] == {"seconds": 0.05, "cached": True}
    assert summary["tuning"]["configurations"] == 12
    assert summary["tuning"]["past"] == ["hats (starter), 2026-11-28"]
    assert set(summary["tuning"]["best"]) == {"score", "values"}
    measured = summary["metrics"]
    right = run.probabilities.argmax(axis=1) == run.target[500:]
    assert measured["accuracy"] == pytest.approx(right.mean())
    assert measured["validation_accuracy"] == 0.93
    assert {each["column"] for each in measured["slices"]["gaps"]} == {"site"}
    assert "falls behind" in measured["slices"]["words"]
    further = measured["further_labels"]["state"]
    assert (further["accuracy"], further["test_images"]) == (0.9, 120)
    assert (further["frequent"], further["validation_accuracy"]) == ("new", 0.9)
    assert further["gain"] == pytest.approx(0.9 - 70 / 120)
    assert set(further["per_class"]) == {EVIL, "new"}
    forgetting = measured["forgetting"]
    assert (forgetting["before"], forgetting["after"], forgetting["images"]) == (0.9, 0.75, 60)
    assert measured["probe_accuracy"] == pytest.approx(
        (run.probe.argmax(axis=1) == run.target[500:]).mean()
    )
    assert set(measured["per_class"]) == set(CLASSES)
    assert measured["accuracy_interval"] == pytest.approx(share_interval(right.sum(), 200))
    assert measured["validation_accuracy_interval"] == pytest.approx(share_interval(93, 100))
    compared = measured["comparisons"]
    assert compared["last_blessed"] is None
    low, high = compared["probe"]["interval"]
    assert low < compared["probe"]["drop"] < high
    tried = summary["model"].pop("strategies")
    assert [(each["name"], each["kept"]) for each in tried] == [("few-shot head", False)]
    assert summary["model"].pop("calibration")["temperature"] == 1.25
    assert [each["worth"] for each in summary["model"].pop("blocks")] == [-0.001, 0.123]
    assert summary["model"] == {
        "backbone": "EfficientNetLite0",
        "weights_digest": "ab12",
        "chain": [],
        "image_size": None,
        "strategy": "fine_tune",
        "requested_strategy": "auto",
        "trained_strategy": "fine_tune",
        "start": "pretrained",
        "exported": "fine_tuned",
        "exported_reason": "fine-tuning gained 0.02 on validation",
        "refitted_images": 0,
        "words": "validation accuracy 0.930 [0.863, 0.966], fine-tuned",
        "class_changes": [],
        "pushed_to": "/srv/graft/3",
        "published_to": "s3://bucket/graft/3",
        "version": 3,
        "card": None,
    }
    assert summary["serving_check"]["rest"]["passed"]


def test_what_was_found_damaged_is_told(run):
    assert "Found damaged" not in visible_text(run.page())
    run.record.repairs = [f"{EVIL} was damaged and was made again."]
    assert "was damaged and was made again." in visible_text(run.page())
    assert EVIL not in run.page()
    assert run.summary()["repairs"] == run.record.repairs


@pytest.mark.parametrize(
    ("key", "stage", "beginning", "of"),
    [
        ("unlabelled", "UnlabelledImages", "Without labels", "images without labels"),
        ("target", "TargetImages", "Of the target", "images of the target"),
    ],
)
def test_images_without_labels_are_accounted_for(run, key, stage, beginning, of):
    assert run.summary()["data"][key] == ""
    numbers = {"images": 3, "offered": 5, "quarantined": 1, "passed_over": 1, "unknown": 0}
    rows = [
        {"name": EVIL, "code": "truncated", "reason": "it ends early", "fate": "refused"},
        {"name": "a.png", "code": "labelled_already", "reason": "known", "fate": "passed_over"},
    ]
    run.record.artifacts[f"{key}_quarantine"] = str(run.folder / key)
    run.write(key, "ingest.json", numbers)
    lines = "\n".join(json.dumps(row) for row in rows)
    (run.folder / key / "quarantine.jsonl").write_text(lines)
    words = "5 offered: 3 used, 1 refused (1 truncated), 1 passed over (1 labelled_already)"
    assert run.summary()["data"][key] == words
    assert stage_note(stage, run.record) == words
    text = visible_text(run.page())
    assert f"{beginning}: {words}." in text
    assert f"Refused files, of the {of}" in text
    assert EVIL not in run.page()


def test_the_workers_that_took_the_images_are_named(run):
    assert "Beam worker" not in stage_note("ImageExampleGen", run.record)
    ingest = json.loads((run.folder / "quarantine" / "ingest.json").read_text())
    workers = {f"{EVIL} (process 7)": 1500, "north (process 8)": 10}
    run.write("quarantine", "ingest.json", ingest | {"workers": workers})
    words = f"2 Beam workers ({EVIL} (process 7): 1,500, north (process 8): 10 images)"
    assert stage_note("ImageExampleGen", run.record).endswith(f", by {words}")
    page = run.page()
    assert f"Taken in by {words}." in visible_text(page)
    assert EVIL not in page
    summary = json.loads((run.folder / "out" / "summary.json").read_text())
    assert summary["data"]["workers"] == workers


def test_the_workers_that_embedded_the_images_are_named(run):
    run.write("embeddings", "embedded_by.json", {"north (process 8)": 10, EVIL: 60})
    run.write("model", "embedded_by.json", {"north (process 8)": 1500})
    words = f"2 Beam workers ({EVIL}: 60, north (process 8): 10 images)"
    assert stage_note("FeatureExtractor", run.record).endswith(f", embedded by {words}")
    assert "(north (process 8): 1,500 images)" in stage_note("Trainer", run.record)
    assert "Beam worker" not in stage_note("Pusher", run.record)
    page = run.page()
    both = f"2 Beam workers ({EVIL}: 60, north (process 8): 1,510 images)"
    assert f"Embedded by {both}." in visible_text(page)
    assert EVIL not in page
    summary = json.loads((run.folder / "out" / "summary.json").read_text())
    assert summary["data"]["embedded_by"] == {"north (process 8)": 1510, EVIL: 60}


def test_the_strategy_of_the_head_is_told_everywhere(run):
    training = json.loads((run.folder / "model" / "training.json").read_text())
    training["strategies"][0] |= {"kept": True, "reason": EVIL}
    run.write("model", "training.json", training)
    text = visible_text(run.page())
    assert "Cosine: promises less than without it." in text
    assert EVIL not in run.page()
    assert "few-shot" not in run.summary()["model"]["words"], "a fine-tuned model has not that head"
    training["exported"] = "head"
    run.write("model", "training.json", training)
    assert "the head alone (few-shot head)" in run.summary()["model"]["words"]


def test_a_strategy_of_the_whole_network_is_told_of_that_alone(run):
    training = json.loads((run.folder / "model" / "training.json").read_text())
    other = {"name": "self-training", "kept": True, "reason": "", "words": "", "of": "fine_tuned"}
    training["strategies"].append(other)
    run.write("model", "training.json", training)
    assert "fine-tuned (self-training)" in run.summary()["model"]["words"]
    training["exported"] = "head"
    run.write("model", "training.json", training)
    assert "self-training" not in run.summary()["model"]["words"], "the head has not learned so"


def test_the_calibration_and_what_the_blocks_are_worth_are_told(run):
    text = visible_text(run.page())
    assert "by a temperature of 1.25: log loss 0.412 before, 0.398 after" in text
    assert "calibration error 0.056 before, 0.031 after" in text
    assert "What the blocks are worth" in text
    assert "-0.001" in text or "−0.001" in text
    assert EVIL not in run.page()
    training = json.loads((run.folder / "model" / "training.json").read_text())
    del training["calibration"], training["blocks"]  # as an earlier Graft left it
    run.write("model", "training.json", training)
    text = visible_text(run.page())
    assert "temperature" not in text
    assert "What the blocks are worth" not in text
    assert run.summary()["model"]["calibration"] is None


def test_a_dropped_fine_tuning_is_told_everywhere(run):
    training = json.loads((run.folder / "model" / "training.json").read_text())
    reason = "fine-tuning lost against the head on the frozen backbone: 90.0% against 93.0%"
    training |= {"exported": "head", "exported_reason": reason}
    run.write("model", "training.json", training)
    words = f"validation accuracy 0.930 [0.863, 0.966], the head alone: {reason}"
    model = run.summary()["model"]
    assert (model["strategy"], model["trained_strategy"]) == ("feature_extraction", "fine_tune")
    assert (model["exported"], model["exported_reason"]) == ("head", reason)
    assert model["words"] == words
    assert stage_note("Trainer", run.record) == words
    text = visible_text(run.page())
    assert "The fine-tuned model was dropped; the head alone was exported." in text
    assert f"F{reason[1:]}." in text


def test_a_head_that_learned_from_the_validation_images_in_the_end_is_told_everywhere(run):
    said = "In the end what is exported learned from all 1,234 training and validation images."
    assert "In the end" not in visible_text(run.page())
    training = json.loads((run.folder / "model" / "training.json").read_text())
    training |= {"exported": "head", "strategy": "feature_extraction", "refitted_images": 1234}
    run.write("model", "training.json", training)
    model = run.summary()["model"]
    assert model["refitted_images"] == 1234
    assert "fitted after that to all 1,234 training and validation images" in model["words"]
    text = visible_text(run.page())
    assert said in text
    assert "Before that, it reached 0.930" in text


def test_terminal_summary_and_report_are_one_record(run, capsys):
    summary = run.summary()
    print_summary(summary, run.folder)
    ended = capsys.readouterr().out
    text = " ".join(visible_text(run.page()).split())
    for words in (summary["data"]["words"], summary["data"]["layout"]):
        assert words in text
        assert words in ended
    assert stage_note("ImageExampleGen", run.record) == summary["data"]["words"]
    assert stage_note("ImageValidator", run.record) == summary["data"]["findings"]["words"]
    assert stage_note("Trainer", run.record) == summary["model"]["words"]
    assert summary["model"]["words"] in ended
    (line,) = findings_lines(run.record, "findings")
    assert line.startswith("    warning: 4 images of")
    note = "700 images, 25 of them identical to another, 75 embedded before"
    assert stage_note("FeatureExtractor", run.record) == note
    assert "700 images, 25 of them identical to another, in 10 classes" in text
    low, high = summary["metrics"]["accuracy_interval"]
    interval = f"{summary['metrics']['accuracy']:.3f} [{low:.3f}, {high:.3f}]"
    for told in (summary["reason"], ended, text):
        assert interval in told
    for heading in ("Refused files", "Passed over", "Unknown, in damaged files"):
        assert heading in text


def test_what_a_search_told_stands_beside_what_it_took(run, capsys):
    seconds = {"Tuner": 40, "Trainer": 30, "Pusher": 1}
    run.record.stages = [StageRecord(name, each) for name, each in seconds.items()]
    summary = run.summary()
    assert (summary["tuning"]["told_seconds"], summary["tuning"]["taken_seconds"]) == (70, 61)
    print_summary(summary, run.folder)
    words = "61.0 s since the search began, 70.0 s foretold"
    assert words in capsys.readouterr().out
    assert words in " ".join(visible_text(run.page()).split())


def test_of_very_many_findings_the_terminal_names_the_first(run):
    findings = [{"severity": "warning", "message": f"class {n}\nis small"} for n in range(1_200)]
    run.write("findings", "findings.json", findings)
    lines = findings_lines(run.record, "findings")
    assert lines[0] == "    warning: class 0 is small"
    assert len(lines) == 21
    assert lines[-1] == "    and 1,180 more, which the report names"
    assert stage_note("ImageValidator", run.record) == "1,200 warnings"


@pytest.mark.parametrize("stage", ["ImageExampleGen", "Trainer", "Judge", "Pusher", "Transform"])
def test_a_stage_that_left_nothing_has_no_note(stage):
    assert stage_note(stage, RunRecord("r", datetime.now(timezone.utc), {})) == ""


def test_a_run_that_failed_early_shows_what_there_is(run):
    run.record.status, run.record.reason = "failed", "Validation found 1 problem in the data."
    run.record.pushed_to = run.record.version = None
    run.record.stages = [StageRecord("ImageExampleGen", 2), StageRecord("Gate", 1, state="failed")]
    run.record.artifacts = {
        key: run.record.artifacts[key] for key in ("examples", "quarantine", "findings")
    }
    text = visible_text(run.page())
    assert "Failed in Gate" in text
    assert "Validation found 1 problem" in text
    assert "Refused files" in text
    assert "Worst mistakes" not in text


def test_a_run_without_any_artifact_has_a_report(tmp_path):
    record = RunRecord("r", datetime.now(timezone.utc), {}, reason="No such folder.")
    text = visible_text(write_report(record, tmp_path).read_text())
    assert "No such folder." in text
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["data"]["images"]) == ("failed", None)


@pytest.mark.parametrize("key", ["quarantine", "history", "model", "blessing", "statistics"])
def test_damaged_files_never_stop_the_report(run, key):
    for path in (run.folder / key).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "Pushed as version 3" in visible_text(run.page())


def test_what_the_backbone_went_through_before_is_told(run):
    assert "Fine-tuned before on" not in visible_text(run.page())
    file = run.folder / "model" / "Format-Serving/assets.extra/graft.json"
    link = {"name": EVIL, "run": "20261129-1", "data_fingerprint": "f" * 64, "images": 1200}
    digests = {"classes": 5, "begun_from": "0", "weights_digest": "1"}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chain": [link | digests]}))
    assert run.summary()["model"]["chain"] == [link | digests]
    page = " ".join(visible_text(run.page()).split())
    assert "Fine-tuned before on" in page
    assert "(1,200 images of 5 classes, data ffffffffffffffff, run 20261129-1)" in page
    assert EVIL not in run.page()


def test_what_changed_of_the_classes_is_told_to_the_end(run, capsys):
    change = ClassChange("renamed", ("one",), ("eins",), images=20, moved=18)
    write_class_changes(run.artifact("blessing"), [change])
    write_class_changes(run.artifact("findings"), [change], {"eins": 20})
    summary = run.summary()
    assert summary["data"]["class_changes"]["classes"] == {"eins": 20}
    assert summary["model"]["class_changes"][0]["words"] == change.words
    summary["data"]["kept_test"] = 31
    print_summary(summary, run.folder)
    told = capsys.readouterr().out
    assert f"  classes   {change.words}" in told
    page = " ".join(visible_text(run.page()).split())
    assert f"Since the last blessed model: {change.words}." in page
    assert "  test set  31 of 200 images the last blessed model was tested on, too" in told


def test_classes_of_which_no_test_image_is_recognised_are_named_in_the_end(run, capsys):
    summary = run.summary()
    print_summary(summary, run.folder)
    assert "  missed" not in capsys.readouterr().out
    metrics = summary["metrics"]
    further = metrics["further_labels"]["state"]["per_class"]
    for each in (metrics["per_class"][EVIL], further["new"]):
        each |= {"images": 7, "recall": 0.0}
    print_summary(summary, run.folder)
    told = capsys.readouterr().out
    missed = "none of the 7 test images of 1 of {} classes is recognised: {!r}\n"
    assert "  missed    " + missed.format(len(CLASSES), EVIL) in told
    assert "  missed    state: " + missed.format(2, "new") in told
