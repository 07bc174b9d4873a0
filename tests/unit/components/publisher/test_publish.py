"""Publishing a version to a bucket, for which fsspec's memory stands."""

from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from model_folders import contents, model_folder

from components.publisher.publish import (
    publish,
    published_bytes,
    published_versions,
    withdraw,
)
from models.errors import GraftError
from models.storage import buckets
from models.storage.buckets import Bucket
from models.storage.seals import write_sums

MARK = "saved_model.pb"


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"memory://{tmp_path.name}/models"


def version(tmp_path: Path, number: int, text: str = "one") -> Path:
    folder = model_folder(tmp_path / text / str(number), text, files=3)
    write_sums(folder)
    return folder


def published(target: str) -> dict[str, bytes]:
    """All files in the bucket, by their names below the target."""
    store, root = fsspec.core.url_to_fs(target)
    return {path[len(root) + 1 :]: store.cat_file(path) for path in store.find(root)}


def below(folder: Path) -> dict[str, bytes]:
    return {f"{folder.name}/{name}": content for name, content in contents(folder).items()}


def killed_at(monkeypatch: pytest.MonkeyPatch, method: str, call: int) -> None:
    """Has a method of a bucket end the process, as it were, at its call of that number."""
    whole: Callable[..., object] = getattr(Bucket, method)
    calls: list[object] = []

    def act(self: Bucket, *arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        return whole(self, *arguments)

    monkeypatch.setattr(Bucket, method, act)


def test_a_version_is_there_whole_and_a_second_time_nothing_is_sent(
    tmp_path: Path, target: str
) -> None:
    pushed = version(tmp_path, 3)
    first = publish(pushed, f"{target}/")
    assert (first.place, first.new) == (f"{target}/3", True)
    assert first.sent == len(contents(pushed))
    assert published(target) == below(pushed)
    again = publish(pushed, target)
    assert (again.place, again.new, again.sent) == (f"{target}/3", False, 0)
    assert published_versions(target) == [3]
    assert published_bytes(target, 3) == sum(map(len, contents(pushed).values()))


def test_what_was_sent_before_a_kill_is_not_sent_again(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = version(tmp_path, 3)
    for sent in range(1, len(contents(pushed))):
        with monkeypatch.context() as patch:
            killed_at(patch, "upload", 2)
            with pytest.raises(KeyboardInterrupt):
                publish(pushed, target)
        names = published(target)
        assert len(names) == sent
        assert all(name.startswith(".publish-3-") for name in names)
    assert publish(pushed, target).sent == 1
    assert published(target) == below(pushed)


def test_a_version_that_a_kill_left_half_cannot_be_loaded_and_is_finished(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = version(tmp_path, 3)
    for call in range(1, len(contents(pushed)) + 1):
        with monkeypatch.context() as patch:
            killed_at(patch, "copy", call)
            with pytest.raises(KeyboardInterrupt):
                publish(pushed, target)
        assert f"3/{MARK}" not in published(target)
        finished = publish(pushed, target)
        assert (finished.new, finished.sent) == (True, 0)
        assert published(target) == below(pushed)
        withdraw(target, 3)


def test_what_was_sent_damaged_is_not_published(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = version(tmp_path, 3)
    whole = Bucket.upload

    def upload(self: Bucket, file: Path, name: str) -> None:
        damaged = tmp_path / "damaged"
        content = file.read_bytes()
        damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        whole(self, damaged if name.endswith("part-1") else file, name)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "upload", upload)
        with pytest.raises(GraftError, match="part-1 was read back as something else"):
            publish(pushed, target)
    assert published_versions(target) == []
    publish(pushed, target)
    assert published(target) == below(pushed)


def test_another_model_of_the_same_number_stays(tmp_path: Path, target: str) -> None:
    publish(version(tmp_path, 3), target)
    before = published(target)
    with pytest.raises(GraftError, match="another model has the number 3 there"):
        publish(version(tmp_path, 3, "two"), target)
    assert published(target) == before


def test_another_model_that_was_never_finished_gives_way(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        killed_at(patch, "copy", 4)
        with pytest.raises(KeyboardInterrupt):
            publish(version(tmp_path, 3), target)
    pushed = version(tmp_path, 3, "two")
    fsspec.filesystem("memory").pipe_file(f"{target}/3/variables/other", b"of the first")
    publish(pushed, target)
    assert published(target) == below(pushed)


def test_what_is_missing_of_a_published_version_comes_back(tmp_path: Path, target: str) -> None:
    pushed = version(tmp_path, 3)
    publish(pushed, target)
    fsspec.filesystem("memory").rm_file(f"{target}/3/variables/part-0")
    assert publish(pushed, target).new
    assert published(target) == below(pushed)


def test_a_version_that_was_changed_here_is_not_published(tmp_path: Path, target: str) -> None:
    pushed = version(tmp_path, 3)
    (pushed / MARK).write_text("another")
    with pytest.raises(GraftError, match=r"not as it was pushed \(saved_model.pb differs\)"):
        publish(pushed, target)
    assert published(target) == {}


def test_what_cannot_be_deleted_fails_no_publication(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = type(fsspec.filesystem("memory"))

    def refused(*_: object) -> None:
        raise PermissionError("Access Denied")

    with monkeypatch.context() as patch:
        patch.setattr(memory, "rm_file", refused)
        assert publish(version(tmp_path, 3), target).new
    publish(version(tmp_path, 4), target)
    assert {name.partition("/")[0] for name in published(target)} == {"3", "4"}


def test_a_bucket_that_does_not_answer_is_told_with_what_is_kept(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(uri: str) -> tuple[object, str]:
        raise ConnectionError("no route")

    monkeypatch.setattr(buckets, "_opened", away)
    with pytest.raises(GraftError) as failed:
        publish(version(tmp_path, 3), target)
    assert f"Version 3 is in {tmp_path / 'one'}, but was not published: {target}" in str(
        failed.value
    )
    assert "no route. The same command tries again" in str(failed.value)


def test_a_version_is_withdrawn_and_its_neighbour_stays(tmp_path: Path, target: str) -> None:
    kept = version(tmp_path, 11)
    publish(version(tmp_path, 1), target)
    publish(kept, target)
    withdraw(target, 1)
    assert published(target) == below(kept)
