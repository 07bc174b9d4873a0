"""The push: whole or absent, whatever happens."""

import json
import os
import resource
from pathlib import Path

import pytest
from model_folders import contents, model_folder

from components.pusher.push import push_model
from models.errors import GraftError
from models.export import DESCRIPTION
from models.storage.seals import tree_digest, write_sums


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


def test_a_file_that_cannot_be_written_whole_is_an_error_in_words(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "a", "one", size=300_000)
    serving = tmp_path / "serving"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(GraftError, match=r"could not be pushed .*No version was added"):
            push_model(model, serving)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(serving.iterdir()) == []
    assert push_model(model, serving).version == 1


@pytest.mark.parametrize("folder", ["/proc/graft", "/dev/null/graft"])
def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path, folder: str) -> None:
    with pytest.raises(GraftError, match=r"serving\.directory"):
        push_model(model_folder(tmp_path / "a", "one"), Path(folder))
