"""The push: whole or absent, whatever happens."""

import errno
import fcntl
import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from model_folders import contents, model_folder

from components.pusher.push import Push, push_model
from models.errors import GraftError
from models.storage.seals import DESCRIPTION, EXTRA, changed_file, tree_digest, write_sums


def test_versions_are_whole_and_count_up(tmp_path: Path) -> None:
    one, two = model_folder(tmp_path / "a", "one"), model_folder(tmp_path / "b", "two")
    serving = tmp_path / "serving" / "é m"
    assert [push_model(model, serving).version for model in (one, two, one)] == [1, 2, 3]
    assert sorted(path.name for path in serving.iterdir()) == ["1", "2", "3"]
    assert contents(serving / "1") == contents(one) == contents(serving / "3")
    assert contents(serving / "2") == contents(two)


def test_the_newest_version_is_not_pushed_again(tmp_path: Path) -> None:
    model, serving = model_folder(tmp_path / "a", "one"), tmp_path / "serving"
    assert push_model(model, serving).new
    again = push_model(model, serving)
    assert (again.version, again.path, again.new) == (1, serving / "1", False)
    assert [path.name for path in serving.iterdir()] == ["1"]


def _export(folder: Path, graph: str, digest: str) -> Path:
    """Another export of one model: other names in the graph, the same weights and description."""
    model = model_folder(folder, graph)
    (model / DESCRIPTION).write_text(json.dumps({"model_digest": digest}))
    write_sums(model)
    return model


def test_the_same_model_is_not_pushed_again_whatever_its_functions_are_called(
    tmp_path: Path,
) -> None:
    serving = tmp_path / "serving"
    push_model(_export(tmp_path / "a", "one", "0a"), serving)
    again = push_model(_export(tmp_path / "b", "other names", "0a"), serving)
    assert (again.version, again.new, again.digest) == (1, False, tree_digest(serving / "1"))
    assert push_model(_export(tmp_path / "c", "one", "0c"), serving).version == 2
    assert push_model(_export(tmp_path / "d", "one", "0b"), serving).version == 3


def test_companions_lie_beside_the_model_and_one_that_is_missing_is_pushed(tmp_path: Path) -> None:
    model, serving = _export(tmp_path / "a", "one", "0a"), tmp_path / "serving"
    companion, other = tmp_path / "reference.npz", tmp_path / "other.npz"
    companion.write_bytes(b"what it answered")
    other.write_bytes(b"more")
    pushed = push_model(model, serving, companions=[companion])
    assert (pushed.path / EXTRA / companion.name).read_bytes() == b"what it answered"
    assert changed_file(pushed.path) is None
    again = push_model(model, serving, companions=[companion])
    assert (again.version, again.new) == (1, False)
    more = push_model(model, serving, companions=[companion, other])
    assert (more.version, more.new) == (2, True)
    assert (more.path / EXTRA / other.name).read_bytes() == b"more"


def test_a_damaged_version_is_no_reason_not_to_push(tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    push_model(_export(tmp_path / "a", "one", "0a"), serving)
    (serving / "1" / "variables" / "part-0").write_bytes(b"damaged")
    assert push_model(_export(tmp_path / "b", "one", "0a"), serving).version == 2


def test_only_what_was_proved_is_pushed(tmp_path: Path) -> None:
    model, serving = model_folder(tmp_path / "a", "one"), tmp_path / "serving"
    proved = tree_digest(model)
    (model / "variables" / "part-0").write_bytes(b"damaged")
    with pytest.raises(GraftError, match="is damaged"):
        push_model(model, serving, proved)
    assert list(serving.iterdir()) == []


def test_it_counts_on_from_what_is_there(tmp_path: Path) -> None:
    model, serving = model_folder(tmp_path / "a", "one"), tmp_path / "serving"
    (serving / "0041").mkdir(parents=True)
    (serving / "notes").mkdir()
    assert push_model(model, serving).version == 42


def test_all_of_a_version_is_on_the_disk_before_it_has_its_number_and_then_the_number_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = tmp_path / "serving"
    to_disk = os.fsync
    before: set[int] = set()
    after: set[int] = set()

    def watched(handle: int) -> None:
        to_disk(handle)
        (after if (serving / "1").exists() else before).add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", watched)
    push_model(model_folder(tmp_path / "a", "one"), serving)
    version = serving / "1"
    assert before >= {path.stat().st_ino for path in (version, *version.rglob("*"))}
    assert after == {serving.stat().st_ino}


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something done once in the middle of the next push."""

    def plan(act: Callable[[], object]) -> None:
        to_disk = os.fsync

        def acting(handle: int) -> None:
            monkeypatch.setattr(os, "fsync", to_disk)
            to_disk(handle)
            act()

        monkeypatch.setattr(os, "fsync", acting)

    return plan


def test_a_number_that_another_machine_takes_meanwhile_is_passed_over(
    tmp_path: Path, during: Callable[[Callable[[], object]], None]
) -> None:
    serving = tmp_path / "serving"
    during(lambda: (serving / "1" / "theirs").mkdir(parents=True))
    assert push_model(model_folder(tmp_path / "a", "one"), serving).version == 2
    assert [path.name for path in (serving / "1").iterdir()] == ["theirs"]


def test_a_number_that_is_taken_at_the_last_moment_is_passed_over_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, rename = tmp_path / "serving", Path.rename

    def too_late(unfinished: Path, version: Path) -> Path:
        if version.name == "1":
            (version / "theirs").mkdir(parents=True)
        return rename(unfinished, version)

    monkeypatch.setattr(Path, "rename", too_late)
    assert push_model(model_folder(tmp_path / "a", "one"), serving).version == 2
    assert [path.name for path in (serving / "1").iterdir()] == ["theirs"]


def test_a_copy_that_is_lost_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def lost(unfinished: Path, version: Path) -> Path:
        shutil.rmtree(unfinished)
        return rename(unfinished, version)

    monkeypatch.setattr(Path, "rename", lost)
    with pytest.raises(GraftError, match="could not be pushed"):
        push_model(model_folder(tmp_path / "a", "one"), tmp_path / "serving")


def test_where_directories_cannot_be_locked_others_work_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    serving = tmp_path / "serving"
    (serving / ".push-theirs").mkdir(parents=True)
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert push_model(model_folder(tmp_path / "a", "one"), serving).version == 1
    assert sorted(path.name for path in serving.iterdir()) == [".push-theirs", "1"]


def test_what_cannot_be_cleared_away_hinders_no_push(tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    serving.mkdir()
    (serving / ".push-note").write_text("no folder")
    assert push_model(model_folder(tmp_path / "a", "one"), serving).version == 1


def test_a_copy_that_is_damaged_on_its_way_is_not_pushed(
    tmp_path: Path, during: Callable[[Callable[[], object]], None]
) -> None:
    model, serving = model_folder(tmp_path / "a", "one"), tmp_path / "serving"
    during(lambda: next(serving.glob("*/a/saved_model.pb")).write_text("other"))
    with pytest.raises(GraftError, match="is damaged"):
        push_model(model, serving, tree_digest(model))
    assert list(serving.iterdir()) == []


def test_pushes_wait_for_each_other_and_clear_away_what_was_left(
    tmp_path: Path, during: Callable[[Callable[[], object]], None]
) -> None:
    serving = tmp_path / "serving"
    (serving / ".push-old" / "a").mkdir(parents=True)
    refused = []

    def lock() -> None:
        handle = os.open(serving, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refused.append(True)
        os.close(handle)

    during(lock)
    model = model_folder(tmp_path / "a", "one")
    pushed = push_model(model, serving)
    assert refused == [True]
    assert pushed == Push(1, serving / "1", new=True, digest=tree_digest(model))
    assert [path.name for path in serving.iterdir()] == ["1"]


def test_a_file_that_cannot_be_written_whole_is_an_error_in_words(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "a", "one", size=300_000)
    serving = tmp_path / "serving"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(GraftError, match=r"pushed to [^:]*: File too large\. No version was"):
            push_model(model, serving)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(serving.iterdir()) == []
    assert push_model(model, serving).version == 1


@pytest.mark.parametrize("folder", ["/proc/graft", "/dev/null/graft"])
def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path, folder: str) -> None:
    with pytest.raises(GraftError, match=r"serving\.directory"):
        push_model(model_folder(tmp_path / "a", "one"), Path(folder))


def test_a_card_travels_with_the_model_and_another_one_is_another_version(tmp_path: Path) -> None:
    model, serving = _export(tmp_path / "a", "one", "0a"), tmp_path / "serving"
    cards = [{"model-card.md": b"# One"}, {"model-card.md": b"# One"}, {"model-card.md": b"# Two"}]
    pushed = [push_model(model, serving, tree_digest(model), card=card) for card in cards]
    assert [(push.version, push.new) for push in pushed] == [(1, True), (1, False), (2, True)]
    for push, card in zip(pushed, cards, strict=True):
        assert (push.path / "assets.extra" / "model-card.md").read_bytes() == card["model-card.md"]
        assert changed_file(push.path) is None
        assert push.digest == tree_digest(push.path)
