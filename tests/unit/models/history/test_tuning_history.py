import json
import re
from pathlib import Path
from typing import Any

import pytest

from models.history.records import (
    Curve,
    EmbeddingStatistics,
    Evaluation,
    SearchDescription,
    TaskDescription,
    TrialRecord,
)
from models.history.search_space import Choice, FloatRange, SearchSpace
from models.history.tuning_history import (
    HistoryError,
    TuningHistory,
    new_history,
    read_history,
    write_history,
)

SPACE = SearchSpace(
    parameters=(
        FloatRange(name="rate", low=1e-4, high=1e-1, scale="log"),
        Choice(name="width", values=(0, 128)),
        Choice(name="kind", values=("plain", "ünusual")),
    )
)
TASK = TaskDescription(
    images=100,
    validation_images=20,
    classes=3,
    balance=0.98,
    image_size=224,
    backbone="EfficientNetLite0",
    weights="imagenet",
    weights_digest="ab" * 32,
    dimension=1280,
    embedding=EmbeddingStatistics(
        total_variance=12.5, effective_dimension=33.0, class_separation=0.2, centroid_accuracy=0.7
    ),
    data_fingerprint="cd" * 32,
)
SEARCH = SearchDescription(
    algorithm="bayesian",
    seed=0,
    epochs=30,
    patience=5,
    class_weights="balanced",
    metric="accuracy",
)


def trial(order: int, score: float) -> TrialRecord:
    curve = Curve(
        train_loss=(1.0, 0.1 + 0.2), validation_loss=(1.1, 0.9), validation_accuracy=(0.5, 0.75)
    )
    evaluation = Evaluation(
        seed=0,
        score=score,
        best_epoch=1,
        validation_loss=0.9,
        validation_accuracy=0.75,
        seconds=0.5,
        curve=curve,
    )
    return TrialRecord(
        order=order,
        status="completed",
        values={"rate": 1e-3, "width": 128, "kind": "ünusual"},
        score=score,
        evaluations=(evaluation,),
        seconds=0.5,
    )


def history() -> TuningHistory:
    failed = TrialRecord(
        order=1,
        status="failed",
        values={"rate": 0.1, "width": 0, "kind": "plain"},
        seconds=0.1,
        message="diverged",
    )
    return new_history(SPACE, TASK, SEARCH, (trial(0, 0.5), failed, trial(2, 0.6), trial(3, 0.6)))


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    write_history(tmp_path / "history.jsonl", history())
    return (tmp_path / "history.jsonl").read_text().splitlines()


def read(tmp_path: Path, content: bytes | str) -> TuningHistory:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_history(path)


def changed(line: str, **changes: Any) -> str:
    return json.dumps({**json.loads(line), **changes})


def test_what_is_written_is_read_again_to_the_last_bit(tmp_path: Path) -> None:
    written = history()
    write_history(tmp_path / "history.jsonl", written)
    assert read_history(tmp_path / "history.jsonl") == written


def test_the_best_is_the_first_of_the_highest_scores() -> None:
    best = history().best
    assert best is not None
    assert best.order == 2
    assert len(history().completed) == 3


def test_without_a_completed_trial_there_is_no_best() -> None:
    assert new_history(SPACE, TASK, SEARCH, ()).best is None


def test_each_line_is_an_object_that_any_reader_takes(lines: list[str]) -> None:
    header, *trials = [json.loads(line) for line in lines]
    assert header["format"] == "graft-tuning-history"
    assert header["version"] == 1
    assert header["trials"] == len(trials) == 4
    assert header["versions"].keys() >= {"keras", "keras-tuner"}
    assert trials[0]["evaluations"][0]["curve"]["validation_accuracy"] == [0.5, 0.75]


def test_fields_of_a_later_graft_are_passed_over(tmp_path: Path, lines: list[str]) -> None:
    lines[0] = changed(lines[0], cluster="new")
    lines[1] = changed(lines[1], cost=3)
    assert len(read(tmp_path, "\n".join(lines) + "\n").trials) == 4


def test_another_version_is_named(tmp_path: Path, lines: list[str]) -> None:
    lines[0] = changed(lines[0], version=2)
    with pytest.raises(HistoryError, match="version 2, but this Graft reads version 1"):
        read(tmp_path, "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[1, 2]\n",
        b"\xff\xfe\x00",
        b"\x00" * 1000,
        b'{"format": "other", "version": 1}\n',
        b'{"format": "graft-tuning-history", "version": "1"}\n',
        b"[" * 100_000,
        b'{"format": ' * 100_000,
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(HistoryError, match="not a tuning history"):
        read(tmp_path, content)


def test_every_truncation_is_noticed(tmp_path: Path, lines: list[str]) -> None:
    whole = ("\n".join(lines) + "\n").encode()
    for length in range(0, len(whole), 17):
        with pytest.raises(HistoryError):
            read(tmp_path, whole[:length])
    with pytest.raises(HistoryError, match="cut short"):
        read(tmp_path, whole[:-1])
    with pytest.raises(HistoryError, match="4 trials announced, 9 found"):
        read(tmp_path, whole + whole)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": "0.5"}, "line 2: score: Input should be a valid number"),
        ({"order": True}, "line 2: order"),
        ({"order": 7}, "trial 7 in the place of 0"),
        ({"status": "running"}, "line 2: status"),
        ({"status": "failed"}, "trial 0 is failed with score"),
        ({"score": None}, "trial 0 is completed with score None"),
        ({"values": {"rate": 5.0}}, "'rate' = 5.0 is not in the search space"),
        ({"values": {"rate": "1"}}, "'rate' = '1' is not in the search space"),
        ({"values": {"__class__": 1}}, "'__class__' = 1 is not in the search space"),
        ({"values": {"rate": [1]}}, "line 2: values"),
        ({"seconds": -1.0}, "line 2: seconds"),
        ({"seconds": float("inf")}, "line 2"),
        ({"seconds": float("nan")}, "line 2"),
        ({"message": "x" * 2000}, "line 2: message"),
        ({"score": 1e308}, "line 2: score: Input should be less than or equal to 1000"),
        ({"score": -1e308}, "line 2: score"),
        ({"seconds": 1e308}, "line 2: seconds"),
        ({"standard_error": 1e308}, "line 2: standard_error"),
        ({"order": 10**400}, "line 2: order"),
        ({"values": {"rate": 10**400}}, "line 2: values.rate"),
        ({"values": {"kind": "x" * 2000}}, "line 2: values.kind"),
    ],
)
def test_values_that_lie_are_refused(
    tmp_path: Path, lines: list[str], changes: dict[str, Any], words: str
) -> None:
    lines[1] = changed(lines[1], **changes)
    with pytest.raises(HistoryError, match=re.escape(words)):
        read(tmp_path, "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("part", "changes", "words"),
    [
        ("task", {"images": 10**400}, "line 1: task.images: Input should be less than 922"),
        ("task", {"classes": 10**400}, "line 1: task.classes"),
        ("task", {"validation_images": 2**63}, "line 1: task.validation_images"),
        ("task", {"backbone": "x" * 2000}, "line 1: task.backbone"),
        ("search", {"seed": 10**400}, "line 1: search.graft.seed"),
        ("search", {"epochs": 10**400}, "line 1: search.graft.epochs"),
    ],
)
def test_numbers_that_nobody_could_calculate_with_are_refused(
    tmp_path: Path, lines: list[str], part: str, changes: dict[str, Any], words: str
) -> None:
    lines[0] = changed(lines[0], **{part: {**json.loads(lines[0])[part], **changes}})
    with pytest.raises(HistoryError, match=re.escape(words)):
        read(tmp_path, "\n".join(lines) + "\n")


def test_too_many_trials_are_refused_before_they_are_read(tmp_path: Path, lines: list[str]) -> None:
    lines[0] = changed(lines[0], trials=1001)
    with pytest.raises(HistoryError, match="more than 1,000 trials"):
        read(tmp_path, lines[0] + "\n" + "x\n" * 1001)


def test_a_curve_with_columns_of_different_length_is_refused(
    tmp_path: Path, lines: list[str]
) -> None:
    record = json.loads(lines[1])
    record["evaluations"][0]["curve"]["train_loss"] = [1.0]
    lines[1] = json.dumps(record)
    with pytest.raises(HistoryError, match="differ in length"):
        read(tmp_path, "\n".join(lines) + "\n")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"nowhere\.jsonl: No such file"):
        read_history(tmp_path / "nowhere.jsonl")
    with pytest.raises(HistoryError, match="not a file"):
        read_history(tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    with pytest.raises(HistoryError, match="larger than 64 MiB"):
        read_history(path)
