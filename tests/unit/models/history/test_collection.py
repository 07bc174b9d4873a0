import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from histories import history, task, write

from models.history.collection import Entry, collect, copy_name
from models.history.tuning_history import TuningHistory, history_bytes
from models.storage.locations import write_place


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
    bucket = f"memory://{tmp_path.name}"
    write_place(f"{bucket}/team/one.jsonl", history_bytes(history(task("a"))))
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


RATES = (1e-3, 2e-3, 3e-3, 4e-3)
HONEST = history(task("a"), [0.9, 0.8, 0.5], rates=RATES[:3])
FORGED = history(task("a"), [0.1, 0.2, 0.5, 0.9], rates=RATES, name="forged")
RERUN = history(task("a"), [0.91, 0.8, 0.5, 0.6], rates=RATES, name="rerun")


@pytest.mark.parametrize("other", [FORGED, RERUN])
def test_nothing_from_elsewhere_displaces_a_search_of_ones_own(
    tmp_path: Path, other: TuningHistory
) -> None:
    own = write(tmp_path / "own.jsonl", HONEST)
    write(tmp_path / "team/other.jsonl", other)
    found = collect([("", tmp_path / "team")], own=[("", own)])
    assert [entry.path for entry in found.entries] == [str(own)]
    assert len(found.skipped) + len(found.repeated) == 1


def test_a_history_that_contradicts_ones_own_is_told(tmp_path: Path) -> None:
    own = write(tmp_path / "own.jsonl", HONEST)
    write(tmp_path / "team/forged.jsonl", FORGED)
    (told,) = collect([("", tmp_path / "team")], own=[("", own)]).skipped
    assert told.name == "forged, 2026-11-21"
    assert f"the same search as photos, 2026-11-21 ({own}), but has other scores" in told.reason


def test_of_ones_own_the_larger_stays(tmp_path: Path) -> None:
    places = [("", write(tmp_path / f"{each.header.name}.jsonl", each)) for each in (HONEST, RERUN)]
    assert names(collect([], own=places).entries) == ["rerun, 2026-11-21"]


def test_of_two_places_that_contradict_each_other_the_first_is_believed(tmp_path: Path) -> None:
    honest = write(tmp_path / "one/honest.jsonl", HONEST)
    write(tmp_path / "two/forged.jsonl", FORGED)
    found = collect([("", tmp_path / "one"), ("", tmp_path / "two")])
    assert [entry.path for entry in found.entries] == [str(honest)]
    assert [each.name for each in found.skipped] == ["forged, 2026-11-21"]
    found = collect([("", tmp_path / "two"), ("", tmp_path / "one")])
    assert names(found.entries) == ["forged, 2026-11-21"]


def test_two_in_one_place_that_contradict_each_other_are_both_left_out(tmp_path: Path) -> None:
    write(tmp_path / "honest.jsonl", HONEST)
    write(tmp_path / "forged.jsonl", FORGED)
    write(tmp_path / "short.jsonl", history(task("a"), [0.9], rates=RATES[:1]))
    write(tmp_path / "another.jsonl", history(task("b")))
    found = collect([("", tmp_path)])
    assert [entry.history.header.task for entry in found.entries] == [task("b")]
    assert (len(found.skipped), len(found.repeated)) == (2, 1)
    for each in found.skipped:
        assert "neither is used" in each.reason


def test_a_search_made_again_elsewhere_differs_by_noise_and_the_larger_stays(
    tmp_path: Path,
) -> None:
    write(tmp_path / "one/honest.jsonl", HONEST)
    write(tmp_path / "two/rerun.jsonl", RERUN)
    found = collect([("", tmp_path / "one"), ("", tmp_path / "two")])
    assert names(found.entries) == ["rerun, 2026-11-21"]
    assert found.skipped == ()


def test_a_copy_that_is_not_what_its_name_says_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", history(task("a")))
    (entry,) = collect([("", tmp_path)]).entries
    copy = tmp_path / "copies" / copy_name(entry)
    content = history_bytes(entry.history)
    write(copy, content)
    assert len(collect([("", copy)]).entries) == 1
    write(copy, content.replace(b'"score":0.7', b'"score":0.8'))
    found = collect([("", copy)])
    assert found.entries == ()
    assert "damaged, or changed" in found.skipped[0].reason
