import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.tuning import library
from models.tuning.history import TuningHistory, history_bytes, new_history
from models.tuning.library import Entry, choose, collect, distance
from models.tuning.records import (
    Curve,
    EmbeddingStatistics,
    Evaluation,
    SearchDescription,
    TaskDescription,
    TrialRecord,
)
from models.tuning.space import FloatRange, SearchSpace

SPACE = SearchSpace(parameters=(FloatRange(name="rate", low=1e-4, high=1e-1, scale="log"),))
STATISTICS = EmbeddingStatistics(
    total_variance=12.5, effective_dimension=33.0, class_separation=0.2, centroid_accuracy=0.7
)


def task(fingerprint: str, images: int = 100, classes: int = 3) -> TaskDescription:
    return TaskDescription(
        images=images,
        validation_images=20,
        classes=classes,
        balance=0.98,
        image_size=224,
        backbone="EfficientNetLite0",
        weights="imagenet",
        weights_digest="ab" * 32,
        dimension=1280,
        embedding=STATISTICS,
        data_fingerprint=fingerprint,
    )


def record(order: int, rate: float, score: float | None) -> TrialRecord:
    if score is None:
        return TrialRecord(order=order, status="failed", values={"rate": rate}, seconds=0.1)
    curve = Curve(train_loss=(1.0,), validation_loss=(1.0,), validation_accuracy=(0.5,))
    evaluation = Evaluation(
        seed=0,
        score=score,
        best_epoch=0,
        validation_loss=1.0,
        validation_accuracy=0.5,
        seconds=0.1,
        curve=curve,
    )
    return TrialRecord(
        order=order,
        status="completed",
        values={"rate": rate},
        score=score,
        evaluations=(evaluation,),
        seconds=0.1,
    )


def history(
    of: TaskDescription,
    scores: Sequence[float | None] = (0.5, 0.7),
    *,
    name: str = "photos",
    created: str = "2026-11-21T10:00:00+00:00",
    seed: int = 0,
) -> TuningHistory:
    search = SearchDescription(
        algorithm="bayesian",
        seed=seed,
        epochs=30,
        patience=5,
        class_weights="balanced",
        metric="accuracy",
    )
    trials = tuple(record(order, 1e-3, score) for order, score in enumerate(scores))
    made = new_history(SPACE, of, search, trials, name=name)
    header = made.header.model_copy(update={"created": created})
    return TuningHistory(header, trials)


def write(path: Path, content: TuningHistory | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else history_bytes(content))
    return path


def names(entries: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def test_folders_are_searched_and_files_taken_whatever_their_name(tmp_path: Path) -> None:
    write(tmp_path / "team/a/one.jsonl", history(task("a"), name="boots"))
    write(tmp_path / "team/notes.txt", b"nothing")
    single = write(tmp_path / "two.history", history(task("b"), name="hats"))
    found = collect([("", tmp_path / "team"), ("", str(single))])
    assert sorted(names(found.entries)) == ["boots, 2026-11-21", "hats, 2026-11-21"]
    assert found.skipped == ()


def test_a_bucket_is_searched(tmp_path: Path) -> None:
    import tensorflow as tf

    bucket = f"ram://{tmp_path.name}"
    tf.io.gfile.makedirs(f"{bucket}/team")
    with tf.io.gfile.GFile(f"{bucket}/team/one.jsonl", "wb") as file:
        file.write(history_bytes(history(task("a"))))
    (entry,) = collect([("", bucket)]).entries
    assert entry.path == f"{bucket}/team/one.jsonl"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a tuning history"),
        (b"\x00\xff\n", "not a tuning history"),
        (b'{"format": "graft-tuning-history", "version": 2}\n', "version 2"),
        (history_bytes(history(task("x")))[:-20], "cut short"),
        (history_bytes(history(task("x"), [None])), "none of its 1 trials has a score"),
    ],
)
def test_what_cannot_be_read_is_skipped_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    bad = write(tmp_path / "bad.jsonl", content)
    write(tmp_path / "good.jsonl", history(task("a")))
    found = collect([("", tmp_path)])
    assert names(found.entries) == ["photos, 2026-11-21"]
    (skipped,) = found.skipped
    assert str(bad) in skipped.reason
    assert reason in skipped.reason


def test_too_many_trials_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST_TRIALS", 1)
    write(tmp_path / "many.jsonl", history(task("a")))
    (skipped,) = collect([("", tmp_path)]).skipped
    assert "more than 1 trials" in skipped.reason


def test_a_missing_place_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", history(task("a")))
    found = collect([("", tmp_path / "absent"), ("", tmp_path)])
    assert len(found.entries) == 1
    assert "No such file" in found.skipped[0].reason


def test_a_hostile_name_cannot_steer_a_terminal(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", history(task("a"), name="\x1b[2Jboo\n" + "x" * 500))
    (entry,) = collect([("", tmp_path)]).entries
    assert entry.name.isprintable()
    assert len(entry.name) < 100


def test_a_file_without_a_name_is_called_by_its_own_and_without_a_date_undated(
    tmp_path: Path,
) -> None:
    write(tmp_path / "boots.jsonl", history(task("a"), name="", created="long ago"))
    assert names(collect([("", tmp_path)]).entries) == ["boots, undated"]
    assert names(collect([("hats", tmp_path)]).entries) == ["hats, undated"]


def test_names_differ(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.jsonl", history(task(str(number))))
    found = names(collect([("", tmp_path)]).entries)
    assert sorted(found) == [
        "photos, 2026-11-21", "photos, 2026-11-21 (2)", "photos, 2026-11-21 (3)"
    ]  # fmt: skip


def test_copies_count_once(tmp_path: Path) -> None:
    one = history(task("a"))
    write(tmp_path / "one.jsonl", one)
    write(tmp_path / "copy.jsonl", one)
    # Written by another version of a library: other bytes, the same trials.
    lines = history_bytes(one).splitlines()
    header = {**json.loads(lines[0]), "versions": {}}
    content = b"\n".join([json.dumps(header).encode(), *lines[1:]]) + b"\n"
    write(tmp_path / "another.jsonl", content)
    found = collect([("", tmp_path)])
    assert len(found.entries) == 1
    (repeated,) = found.repeated
    assert "the same search as photos" in repeated.reason


def test_of_a_search_made_again_the_one_with_most_trials_stays_then_the_oldest(
    tmp_path: Path,
) -> None:
    old, new = "2026-11-20T10:00:00+00:00", "2026-11-22T10:00:00+00:00"
    write(tmp_path / "old.jsonl", history(task("a"), [0.5, 0.6], created=old))
    write(tmp_path / "new.jsonl", history(task("a"), [0.6, 0.5], created=new))
    assert names(collect([("", tmp_path)]).entries) == ["photos, 2026-11-20"]
    write(tmp_path / "more.jsonl", history(task("a"), [0.6, 0.5, 0.4], created=new))
    assert names(collect([("", tmp_path)]).entries) == ["photos, 2026-11-22"]
    # Another seed is another search.
    write(tmp_path / "seed.jsonl", history(task("a"), [0.1], created=old, seed=1))
    assert len(collect([("", tmp_path)]).entries) == 2


def test_ignored_files_are_passed_over_without_a_word(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", history(task("a")))
    (entry,) = collect([("", tmp_path)]).entries
    found = collect([("", tmp_path)], ignore={entry.digest})
    assert (found.entries, found.skipped, found.repeated) == ((), (), ())


def test_the_bound_keeps_the_same_task_the_related_and_the_newest(tmp_path: Path) -> None:
    target = task("target", images=1000, classes=10)
    write(tmp_path / "same.jsonl", history(target, name="same", created="2020-01-01", seed=5))
    for year, images in ((2021, 900), (2022, 10), (2023, 100_000), (2024, 20), (2025, 50_000)):
        of = task(str(year), images=images, classes=10)
        write(tmp_path / f"{year}.jsonl", history(of, name=str(year), created=f"{year}-01-01"))
    entries = collect([("", tmp_path)]).entries
    kept = [entry.name.partition(",")[0] for entry in choose(entries, target, most=4)]
    assert kept == ["same", "2021", "2024", "2025"]
    newest = [entry.name.partition(",")[0] for entry in choose(entries, None, most=2)]
    assert newest == ["2025", "2024"]
    assert len(choose(entries, target)) == 6


def test_distance_is_zero_for_the_same_task_alone() -> None:
    one = task("a")
    assert distance(one, task("a")) == 0
    other_embeddings = one.model_copy(update={"weights_digest": "ef" * 32})
    assert 0 < distance(one, task("b")) < distance(one, other_embeddings)
    assert distance(one, task("b", images=1000)) > distance(one, task("b", images=200))
