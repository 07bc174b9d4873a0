import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from histories import history, task, write

from models.tuning.collection import Entry, collect
from models.tuning.history import history_bytes


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


def test_a_file_whose_name_is_not_utf8_is_skipped_alone(tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl", history(task("a")))
    write(tmp_path / os.fsdecode(b"\xff\x1b.jsonl"), history(task("b")))
    found = collect([("", tmp_path)])
    assert len(found.entries) == 1
    (skipped,) = found.skipped
    assert skipped.reason.endswith("??.jsonl: its name is not UTF-8")


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
    write(tmp_path / "copy\x1b[2J.jsonl", one)
    # Written by another version of a library: other bytes, the same trials.
    lines = history_bytes(one).splitlines()
    header = {**json.loads(lines[0]), "versions": {}}
    content = b"\n".join([json.dumps(header).encode(), *lines[1:]]) + b"\n"
    write(tmp_path / "another.jsonl", content)
    found = collect([("", tmp_path)])
    assert len(found.entries) == 1
    (repeated,) = found.repeated
    assert "the same search as photos" in repeated.reason
    assert repeated.reason.isprintable()


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
