"""The main job through the command, on data and in a workspace with every strange name."""

import csv
import html
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graft_command import GRAFT, Here, await_that, graft
from killed_run import assert_nothing_is_left_of_a_kill, kill_at
from strange_digits import STRANGE_CLASSES, write_strange_digits

from components.artifact_names import CARD_FILE, MARKDOWN_CARD_FILE, SERVING_FOLDER
from models.data.example_reader import split_files
from models.errors import GraftError
from models.observation.reference import REFERENCE
from models.storage.plain_path import is_plain
from models.storage.seals import EXTRA, SUMS, file_digest
from pipeline.pushed_lineage import lineage_of
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class FirstRun:
    """A run that has ended, and what it was given."""

    data: Path
    codes: dict[str, str]
    workspace: Path
    command: tuple[str | Path, ...]
    summary: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.workspace / "runs" / self.summary["run_id"]

    def served(self) -> list[str]:
        """Names of the versions that were pushed."""
        return sorted(path.name for path in (self.workspace / "serving" / "graft").iterdir())


@pytest.fixture(scope="module")
def first_run(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    folder = tmp_path_factory.mktemp("main")
    data, workspace = folder / "my 'photos'", folder / "work [1] {a}*?%s '#' \"é 工"
    codes = write_strange_digits(digits_folder, data)
    command = (
        "run", "--json", "--data", data, "--workspace", workspace, "--image-size", "32",
        "--trials", "3", "--strategy", "feature_extraction",
        "--set", "evaluation.min_accuracy=0.2", "--set", "evaluation.max_drop_below_probe=1.0",
        "--set", "evaluation.max_accuracy_drop=1.0",
    )  # fmt: skip
    answer = graft(*command)
    assert answer.code == 0, answer.out + answer.err
    return FirstRun(data, codes, workspace, command, answer.summary)


def test_the_summary_keeps_its_contract(first_run: FirstRun) -> None:
    told = first_run.summary
    assert (told["status"], told["exit_code"]) == ("pushed", 0)
    assert told["reason"]
    assert told["data"]["images"] == 200
    assert told["data"]["quarantined"] == len(first_run.codes)
    assert told["data"]["fingerprint"]
    assert told["tuning"]["configurations"] == 1
    assert told["tuning"]["best"]
    metrics = told["metrics"]
    assert 0.5 < metrics["accuracy"] <= 1.0
    assert 0.5 < metrics["validation_accuracy"] <= 1.0
    assert 0.5 < metrics["probe_accuracy"] <= 1.0
    assert set(metrics["per_class"]) == set(STRANGE_CLASSES.values())
    model = told["model"]
    assert model["backbone"] == "EfficientNetLite0"
    assert len(model["weights_digest"]) >= 16
    assert Path(model["pushed_to"], "saved_model.pb").is_file()
    assert int(model["version"]) == 1
    assert told["serving_check"]["rest"]["passed"]
    assert told["serving_check"]["grpc"]["passed"]
    assert all(stage["seconds"] >= 0 for stage in told["stages"].values())


def test_the_head_that_learned_from_no_validation_image_is_kept_beside_one_that_did(
    first_run: FirstRun,
) -> None:
    model = first_run.summary["model"]
    is_strategys = any(each["kept"] for each in model["strategies"])
    splits = first_run.summary["data"]["images"] - first_run.summary["metrics"]["test_images"]
    assert model["refitted_images"] == (0 if is_strategys else splits)
    described = Path(model["pushed_to"], "assets.extra", "graft.json").read_text()
    assert json.loads(described)["learned_from_validation"] is True
    assert list(first_run.workspace.glob("artifacts/Trainer/model/*/keras/start_head.keras"))


def test_the_report_is_one_file_that_names_the_result(first_run: FirstRun, here: Here) -> None:
    path = Path(here("report", "--workspace", first_run.workspace).out.strip())
    page = path.read_text(encoding="utf-8")
    assert "EfficientNetLite0" in page
    assert 'src="http' not in page
    assert path.stat().st_size < 2_000_000


def test_the_report_names_each_bad_file_with_its_reason(first_run: FirstRun) -> None:
    (quarantine,) = first_run.workspace.glob("artifacts/ImageExampleGen/quarantine/*")
    lines = (quarantine / "quarantine.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert {line["name"]: line["code"] for line in found} == first_run.codes
    text = (first_run.folder / "report.html").read_text("utf-8")
    for line in found:
        assert line["name"].partition("/")[2] in text
        assert html.escape(line["reason"]).replace("&#x27;", "&#39;") in text


def test_runs_lists_what_ran(first_run: FirstRun, here: Here) -> None:
    assert "pushed" in here("runs", "--workspace", first_run.workspace).out


def test_runs_and_predict_outlive_a_damaged_summary(
    first_run: FirstRun, here: Here, tmp_path: Path
) -> None:
    summary = tmp_path / "runs" / first_run.folder.name / "summary.json"
    shutil.copytree(first_run.folder, summary.parent)
    whole = summary.read_text("utf-8")
    for damaged in (whole[:100], "[1, 2]", "{}", '{"status": 3, "metrics": null}', ""):
        summary.write_text(damaged, "utf-8")
        listed = here("runs", "--workspace", tmp_path)
        assert listed.code == 0
        assert f"{summary} is damaged." in listed.out
        assert here("report", "--workspace", tmp_path).out.strip().endswith("report.html")
        assert here("predict", "--workspace", tmp_path, summary).code == 2
    summary.unlink()
    assert (
        "stopped before its end, or is still at work" in here("runs", "--workspace", tmp_path).out
    )


def test_its_model_is_asked_about_files_that_are_there_and_are_not(
    first_run: FirstRun, here: Here, tmp_path: Path
) -> None:
    ask = ("predict", "--workspace", first_run.workspace)
    image = next((first_run.data / "line\nbreak").iterdir())
    (tmp_path / "text.jpg").write_text("hello")

    missing = here(*ask, tmp_path / "none.png")
    assert (missing.code, missing.out) == (3, "")
    assert "none.png cannot be read: No such file" in missing.err
    text = here(*ask, tmp_path / "text.jpg")
    assert (text.code, text.out) == (3, "")
    assert "it is text" in text.err
    assert "text.jpg is no image that can be classified" in text.err
    mixed = here(*ask, "--csv", tmp_path / "text.jpg", image)
    rows = list(csv.reader(io.StringIO(mixed.out)))
    assert (mixed.code, [row[0] for row in rows[:2]]) == (3, ["file", str(tmp_path / "text.jpg")])
    assert rows[2][1] in STRANGE_CLASSES.values()
    assert mixed.err == "graft: 1 classified, 1 not classified, 0 passed over.\n"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"localhost:{unused.getsockname()[1]}"
        for flag in ("--url", "--grpc"):
            silent = here(*ask, image, flag, address)
            assert (silent.code, silent.out) == (1, "")
            assert address in silent.err
            assert "`graft serve` starts a server" in silent.err
    wrong = here(*ask, image, "--url", "ftp://localhost")
    assert wrong.code == 2
    assert "Expected http://HOST:PORT" in wrong.err


def test_serve_says_which_port_is_taken(first_run: FirstRun, here: Here) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = here("serve", "--workspace", first_run.workspace, "--port", "0",
                      "--rest-port", port)  # fmt: skip
    assert (answer.code, answer.out) == (2, "")
    assert f"REST port {port} of 127.0.0.1 cannot be opened" in answer.err


@pytest.fixture
def server(first_run: FirstRun) -> Iterator[tuple[int, int]]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        grpc_port, rest_port = one.getsockname()[1], other.getsockname()[1]
    ports = ["--port", str(grpc_port), "--rest-port", str(rest_port)]
    process = subprocess.Popen([*GRAFT, "serve", "--workspace", first_run.workspace, *ports])

    def is_available() -> bool:
        assert process.poll() is None
        try:
            url = f"http://127.0.0.1:{rest_port}/v1/models/graft"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"
        except OSError:
            return False

    try:
        await_that(is_available, "the model is available")
        yield grpc_port, rest_port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def test_the_pushed_model_answers_over_rest_and_grpc(
    server: tuple[int, int], first_run: FirstRun, here: Here
) -> None:
    grpc_port, rest_port = server
    chosen = [list(STRANGE_CLASSES.items())[digit] for digit in (0, 4, 6)]
    folders = [first_run.data / os.fsdecode(name) for name, _ in chosen]
    images = [min(folder.glob("0*.png")) for folder in folders]
    common = ("predict", "--json", "--workspace", first_run.workspace, *images)
    rest = here(*common, "--url", f"localhost:{rest_port}")
    grpc = here(*common, "--grpc", f"localhost:{grpc_port}")
    assert rest.code == 0, rest.err
    by_rest = [json.loads(line) for line in rest.out.splitlines()]
    by_grpc = [json.loads(line) for line in grpc.out.splitlines()]
    assert [answer["label"] for answer in by_rest] == [answer["label"] for answer in by_grpc]
    right = [answer["label"] == label for answer, (_, label) in zip(by_rest, chosen, strict=True)]
    assert sum(right) >= 2
    for one, other in zip(by_rest, by_grpc, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def test_the_parents_of_the_pushed_version_are_found(first_run: FirstRun, tmp_path: Path) -> None:
    version = first_run.workspace / "serving" / "graft" / "1"
    lineage = lineage_of(version, Workspace(first_run.workspace))
    made, pushed = digests(lineage.model / SERVING_FOLDER), digests(version)
    # The push adds what the monitor needs and the card, and their digests to the list of all.
    added = (REFERENCE, CARD_FILE, MARKDOWN_CARD_FILE)
    assert pushed.keys() - made.keys() == {f"{EXTRA}/{name}" for name in added}
    assert {name for name in made if made[name] != pushed[name]} == {SUMS}
    assert split_files(str(lineage.examples), "test")
    # The workspace's own path is a pattern to TensorFlow.
    assert is_plain(lineage.model)
    assert is_plain(lineage.examples)

    copy = tmp_path / "1"
    shutil.copytree(version, copy)
    assert lineage_of(copy, Workspace(first_run.workspace)) == lineage
    (copy / "saved_model.pb").write_bytes(b"another")
    for workspace in (first_run.workspace, tmp_path):
        with pytest.raises(GraftError, match=r"No run in .* pushed .*/1 as it is now"):
            lineage_of(copy, Workspace(workspace))


def digests(folder: Path) -> dict[str, str]:
    """Of each file below a folder, by its name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


@pytest.mark.slow
def test_the_pushed_model_goes_to_the_edge(first_run: FirstRun, here: Here, tmp_path: Path) -> None:
    made = here("export", "--workspace", first_run.workspace, "--out", tmp_path / "edge",
                "--calibration-images", "40")  # fmt: skip
    assert made.code == 0, made.err
    told = json.loads((tmp_path / "edge" / "edge.json").read_text("utf-8"))
    accuracy = first_run.summary["metrics"]["accuracy"]
    assert told["served"]["accuracy"] == pytest.approx(accuracy)
    assert told["models"]["float32"]["accuracy"] == pytest.approx(accuracy)
    assert told["models"]["int8"]["calibration_images"] == 40
    assert told["models"]["int8"]["bytes"] < told["models"]["float32"]["bytes"] / 2
    for model in told["models"].values():
        assert (tmp_path / "edge" / model["file"]).stat().st_size == model["bytes"]
        assert f"{model['accuracy']:.3f}" in made.out
    page = (tmp_path / "edge" / "edge.html").read_text("utf-8")
    assert html.escape(told["labels"][0]).replace("&#x27;", "&#39;") in page
    assert made.out.splitlines()[-1] == str(tmp_path / "edge" / "edge.html")


def test_a_second_run_is_cached_throughout(first_run: FirstRun, here: Here) -> None:
    before = first_run.served()
    # No later run asks for what is pruned after it, as the next test shows.
    pruned = ("--set", "retention.runs=1", "--set", "retention.cache_gigabytes=0")
    again = here(*first_run.command, *pruned)
    assert again.code == 0, again.err
    assert first_run.folder.exists()  # It pushed the version that is served.
    assert not list((first_run.workspace / "cache").glob("*/*/*"))
    second = again.summary
    assert [name for name, stage in second["stages"].items() if not stage["cached"]] == []
    assert second["metrics"] == first_run.summary["metrics"]
    assert second["model"] == first_run.summary["model"]
    assert first_run.served() == before


def test_one_changed_value_reruns_only_what_depends_on_it(first_run: FirstRun, here: Here) -> None:
    before = first_run.served()
    # No model is as calibrated as that.
    done = here(*first_run.command, "--set", "evaluation.max_calibration_error=0.0")
    changed = done.summary
    rerun = {name for name, stage in changed["stages"].items() if not stage["cached"]}
    assert rerun == {"Judge", "ServingCheck", "ReferenceMaker", "Pusher"}
    assert (done.code, changed["status"]) == (4, "not_blessed")
    assert "calibration" in changed["reason"]
    assert first_run.served() == before


def test_a_run_killed_at_its_push_is_finished_by_the_next(first_run: FirstRun, here: Here) -> None:
    """Only a reference and a push elsewhere are left to do; `test_kill.py` kills at every stage."""
    before, workspace = first_run.served(), Workspace(first_run.workspace)
    directory = first_run.workspace / "serving" / "elsewhere"
    command = (*first_run.command, "--set", "monitoring.stressed_images=10",
               "--set", f"serving.directory={json.dumps(str(directory))}")  # fmt: skip
    kill_at("Pusher", workspace, command, random.Random(1))
    done = here(*command)
    assert done.code == 0, done.err
    assert done.summary["status"] == "pushed"
    # The one that was killed made the reference.
    assert done.summary["stages"]["ReferenceMaker"]["cached"]
    assert first_run.served() == before
    assert [path.name for path in directory.iterdir()] == ["1"]
    pushed, first = digests(directory / "1"), digests(directory.parent / "graft" / before[0])
    assert {name for name in first if pushed[name] != first[name]} <= {SUMS, f"{EXTRA}/{REFERENCE}"}
    assert_nothing_is_left_of_a_kill(workspace)
