"""Whether `graft run --if-needed` runs, and what it learns from."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest
import tensorflow as tf
from graft_command import graft

from components.example_gen.sources.listing import list_source
from components.image_register import REGISTER_FILE, ImageRegister
from components.schema_curator.curated_schema import write_inferred
from models.errors import GraftError, UsageError
from pipeline import class_memory
from pipeline.config import Config
from pipeline.needed.inputs import note_inputs
from pipeline.needed.labelled_requests import MANIFEST, Labelled, keep, with_labelled
from pipeline.needed.needed_command import NOT_NEEDED, say_whether_needed
from pipeline.needed.plan import planned
from pipeline.needed.retrainings import Retraining, note_retraining, retrainings
from pipeline.run_folder import SUMMARY
from pipeline.time_limit import LimitSettings
from pipeline.workspace import Workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    data = tmp_path / "data"
    for label in ("cat", "dog"):
        (data / label).mkdir(parents=True)
        (data / label / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + label.encode())
    return Config.model_validate(
        {"workspace": str(tmp_path / "workspace"), "data": {"path": str(data)}}
    )


@pytest.fixture
def workspace(config: Config) -> Workspace:
    return Workspace(Path(config.workspace))


def _ran(
    config: Config,
    workspace: Workspace,
    status: str = "pushed",
    *,
    reason: str = "So it is.",
    labelled: str = "",
    exit_code: int | None = None,
    run_id: str = "20260101-000000-000",
) -> None:
    folder = workspace.runs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    note_inputs(config, folder, labelled)
    (folder / SUMMARY).write_text(
        json.dumps({"status": status, "reason": reason, "exit_code": exit_code})
    )


def _decide(workspace: Workspace, episode: str, action: str = "retrain") -> None:
    workspace.monitoring.mkdir(parents=True, exist_ok=True)
    decision = {"action": action, "reason": "It is darker.", "episode": episode}
    (workspace.monitoring / "health.json").write_text(json.dumps({"decision": decision}))


def _label(workspace: Workspace, *digests: str) -> None:
    keep(workspace.labelled_requests, [Labelled(each, each.encode(), "cat") for each in digests])


def test_the_first_run_is_needed_and_the_same_again_is_not(
    config: Config, workspace: Workspace
) -> None:
    assert planned(config, workspace).needed
    _ran(config, workspace)
    again = planned(config, workspace)
    assert not again.needed
    assert "No decision to retrain stands" in again.reason


def test_what_changed_is_named(config: Config, workspace: Workspace) -> None:
    _ran(config, workspace)
    other = config.model_copy(update={"seed": 7})
    assert "configuration" in planned(other, workspace).reason
    (Path(config.data.path) / "cat" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n2")
    changed = planned(config, workspace)
    assert changed.needed
    assert changed.reason.endswith(": data.")


def test_a_change_in_the_data_of_the_chain_is_named(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    related = tmp_path / "related" / "cat"
    related.mkdir(parents=True)
    model = config.model.model_copy(update={"chain": (str(related.parent),)})
    chained = config.model_copy(update={"model": model})
    _ran(chained, workspace)
    assert not planned(chained, workspace).needed
    assert planned(config, workspace).needed
    (related / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert planned(chained, workspace).reason.endswith(": data.")


def test_a_schema_that_was_edited_or_accepted_since_is_a_change_and_an_inferred_one_is_none(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace, "failed")
    write_inferred(config.schema_path, b"feature {}", "token")
    assert not planned(config, workspace).needed
    config.schema_path.write_bytes(b"feature { } # accepted")
    assert "configuration" in planned(config, workspace).reason


def test_names_that_were_exchanged_and_accepted_since_are_a_change(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace, "failed")
    images = ImageRegister.of([("00" * 32, "train", "cat")])
    images.save(class_memory.folder(workspace) / REGISTER_FILE)
    assert not planned(config, workspace).needed
    class_memory.forget(workspace)
    assert "configuration" in planned(config, workspace).reason


def test_another_limit_is_no_change_and_a_run_out_of_time_is_gone_on_from(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace)
    limited = config.model_copy(update={"limits": LimitSettings(minutes=5)})
    assert not planned(limited, workspace).needed
    _ran(config, workspace, "out_of_time")
    assert planned(config, workspace).needed


def test_an_image_that_a_manifest_names_counts_as_data(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,label\ndata/cat/1.png,cat\ndata/dog/1.png,dog\n")
    named = config.model_copy(
        update={"data": config.data.model_copy(update={"path": str(manifest)})}
    )
    _ran(named, workspace)
    assert not planned(named, workspace).needed
    (tmp_path / "data" / "dog" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nanother dog")
    assert planned(named, workspace).needed


def test_so_does_one_in_a_folder_elsewhere_under_another_name(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "lists").mkdir()
    manifest = tmp_path / "lists" / "list.csv"
    manifest.write_text("id,label\nC:\\data\\cat\\1,cat\n/mnt/data/dog/1.png,dog\n", "utf-16-le")
    data = {
        "path": str(manifest),
        "columns": {"path": "id"},
        "images": str(tmp_path / "data"),
        "encoding": "utf-16-le",
    }
    named = Config.model_validate({"workspace": config.workspace, "data": data})
    _ran(named, workspace)
    assert not planned(named, workspace).needed
    (tmp_path / "data" / "cat" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nanother cat")
    assert planned(named, workspace).needed
    _label(workspace, "00ff")
    joined = with_labelled(named, workspace.labelled_requests).data
    listing = list_source(joined.path, joined)
    assert [file.label for file in listing.files] == ["cat", "dog", "cat"]


def test_a_failed_run_is_tried_again_after_an_hour(config: Config, workspace: Workspace) -> None:
    _ran(config, workspace, "failed", exit_code=3)
    assert planned(config, workspace).waits_for == 3
    for other in (time.time() - 3700, time.time() + 3700):
        os.utime(workspace.run_folders()[-1], (other, other))
        assert planned(config, workspace).needed


def test_what_the_machine_may_have_mended_is_tried_again_at_once_but_not_twice(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace, run_id="20260101-000000-000")
    _ran(config, workspace, "failed", exit_code=1, run_id="20260102-000000-000")
    assert planned(config, workspace).needed
    _ran(config, workspace, "failed", exit_code=1, run_id="20260103-000000-000")
    assert planned(config, workspace).waits_for == 1


@pytest.mark.parametrize(("noted", "told"), [(3, 3), (2, 2), (None, 1)])
def test_a_run_that_waits_ends_as_the_one_that_failed(
    config: Config, workspace: Workspace, noted: int | None, told: int
) -> None:
    _ran(config, workspace, "failed", exit_code=noted)
    named = ["--data", config.data.path, "--workspace", config.workspace]
    waiting = graft("run", "--if-needed", *named)
    assert (waiting.code, waiting.out) == (told, "")
    assert "it is tried again from" in waiting.err
    answer = graft("run", "--if-needed", "--json", *named)
    assert (answer.code, answer.summary["status"]) == (told, "failed")
    assert answer.summary["exit_code"] == told
    asked = graft("needed", *named)
    assert (asked.code, asked.out, asked.err) == (told, "", waiting.err)
    assert graft("needed", "--by-monitor", *named).code == NOT_NEEDED


def test_a_failed_run_is_told_in_one_line_and_when_it_is_tried_again(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace, "failed", reason="2 problems.\n1. This.\n2. That.")
    tried = datetime.fromtimestamp(workspace.run_folders()[-1].stat().st_mtime + 3600).astimezone()
    assert planned(config, workspace).reason.endswith(
        "(failed): 2 problems. Nothing has changed since; it is tried again from "
        f"{tried:%Y-%m-%d %H:%M} on."
    )


def test_a_run_that_failed_by_its_labels_is_tried_again_once_they_are_mended(
    config: Config, workspace: Workspace
) -> None:
    _decide(workspace, "1-a")
    _label(workspace, "aa")
    plan = planned(config, workspace)
    plan.note(workspace, "run-1")
    _ran(config, workspace, "failed", labelled=plan.trained_on)
    assert not planned(config, workspace).needed
    keep(workspace.labelled_requests, [Labelled("aa", b"aa", "dog")])
    again = planned(config, workspace)
    assert again.needed
    assert "labels of requests that it learned from have changed" in again.reason
    assert Path(again.config.data.path).name == "data-and-labelled.jsonl"
    _ran(config, workspace, "failed")
    assert not planned(config, workspace).needed  # as that run had nothing to do with labels


def test_a_retraining_is_made_once_an_episode_with_new_labels_after_a_cooldown(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace)
    _decide(workspace, "1-a")
    assert "nothing new to learn from" in planned(config, workspace).reason
    _label(workspace, "aa")
    plan = planned(config, workspace)
    assert (plan.needed, plan.config.training.start) == (True, "pretrained")
    plan.note(workspace, "run-1")
    assert "once for each episode" in planned(config, workspace).reason

    _decide(workspace, "2-b")
    assert "waits until" in planned(config, workspace).reason
    (made,) = retrainings(workspace.monitoring)
    _forget_the_cooldown(workspace, made)
    assert "did not help" in planned(config, workspace).reason
    _label(workspace, "bb")
    assert planned(config, workspace).needed


def test_a_changed_configuration_does_not_hide_a_decision(
    config: Config, workspace: Workspace
) -> None:
    _ran(config, workspace)
    _decide(workspace, "1-a")
    _label(workspace, "aa")
    plan = planned(config.model_copy(update={"seed": 7}), workspace)
    assert plan.retrain is not None
    assert Path(plan.config.data.path).name == "data-and-labelled.jsonl"


def _forget_the_cooldown(workspace: Workspace, made: Retraining) -> None:
    (workspace.monitoring / "retrainings.json").unlink()
    old = Retraining(made.episode, made.at - 25 * 3600, made.run_id, made.trained_on)
    note_retraining(workspace.monitoring, old)


def test_other_decisions_ask_for_no_run(config: Config, workspace: Workspace) -> None:
    _ran(config, workspace)
    _label(workspace, "aa")
    _decide(workspace, "1-a", "page")
    assert not planned(config, workspace).needed


def test_labelled_requests_join_the_data(config: Config, workspace: Workspace) -> None:
    folder = workspace.labelled_requests
    _label(workspace, "aa", "bb")
    assert keep(folder, [Labelled("aa", b"aa", "dog")]) == 2
    joined = with_labelled(config, folder)
    rows = [json.loads(line) for line in Path(joined.data.path).read_text().splitlines()]
    assert [(Path(row["path"]).name, row["label"]) for row in rows] == [
        ("1.png", "cat"),
        ("1.png", "dog"),
        ("aa", "dog"),
        ("bb", "cat"),
    ]
    assert all(Path(row["path"]).is_file() for row in rows)
    assert {key for row in rows for key in row} == {"path", "label", "split"}
    grouped = config.data.model_copy(update={"group": r"(\d+)\.png"})
    joined = with_labelled(config.model_copy(update={"data": grouped}), folder)
    rows = [json.loads(line) for line in Path(joined.data.path).read_text().splitlines()]
    assert [row["group"] for row in rows] == ["1", "1", "", ""]
    assert joined.data.group == "group"


def test_a_damaged_line_among_the_labelled_requests_is_named(workspace: Workspace) -> None:
    _label(workspace, "aa")
    with (workspace.labelled_requests / MANIFEST).open("a") as file:
        file.write('{"path": "im')
    with pytest.raises(GraftError, match=r"Line 2 of .*labelled\.jsonl is damaged"):
        _label(workspace, "bb")


def test_data_of_tfrecords_is_refused_with_what_to_do(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    _label(workspace, "aa")
    record = tmp_path / "records" / "a.tfrecord"
    record.parent.mkdir()
    with tf.io.TFRecordWriter(str(record)) as writer:
        writer.write(b"")
    of_records = config.data.model_copy(update={"path": str(record.parent)})
    with pytest.raises(UsageError, match="TFRecord"):
        with_labelled(config.model_copy(update={"data": of_records}), workspace.labelled_requests)


def test_the_command_says_so_to_programs(config: Config, workspace: Workspace) -> None:
    _ran(config, workspace)
    arguments = ["run", "--if-needed", "--json", "--data", config.data.path]
    answer = graft(*arguments, "--workspace", config.workspace)
    assert answer.code == 0, answer.err
    assert answer.summary["status"] == "not_needed"
    assert len(workspace.run_folders()) == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_answers_at_once(config: Config, workspace: Workspace, as_json: bool) -> None:
    _ran(config, workspace)
    arguments = ["run", "--if-needed", "--data", config.data.path, *["--json"] * as_json]
    # Python says on standard error what it imports.
    answer = graft(*arguments, "--workspace", config.workspace, PYTHONPROFILEIMPORTTIME="1")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("{" if as_json else "Not needed.")
    imported = {line.rpartition("|")[2].strip() for line in answer.err.splitlines()}
    assert "pipeline.needed.plan" in imported
    # Each takes a tenth of a second or more; a summary has figures.
    slow = {"tfx", "tensorflow", "keras", "rich.console"}
    assert not imported & (slow if as_json else slow | {"numpy"})


def test_a_scheduler_may_ask_whether_a_run_is_needed(
    config: Config, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(*, by_monitor: bool) -> tuple[int, str]:
        code = say_whether_needed(config, by_monitor=by_monitor)
        return code, capsys.readouterr().out

    assert asked(by_monitor=False) == (0, "Needed. No run was made in this workspace yet.\n")
    assert asked(by_monitor=True)[0] == NOT_NEEDED
    _ran(config, workspace)
    assert asked(by_monitor=False)[0] == NOT_NEEDED
    _decide(workspace, "one")
    _label(workspace, "a" * 64)
    for by_monitor in (True, False):
        code, said = asked(by_monitor=by_monitor)
        assert code == 0
        assert "It is darker." in said
    assert len(workspace.run_folders()) == 1
