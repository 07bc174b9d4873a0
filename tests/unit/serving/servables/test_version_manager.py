"""What the watch over a model's folder says."""

import logging
from pathlib import Path

import grpc
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from serving.errors import ServingError
from serving.servables.completeness import GRAPH_FILE
from serving.servables.loader import LoadedModel
from serving.servables.model_config import ModelConfig, VersionPolicy
from serving.servables.version_manager import LoadOptions, VersionManager

LATEST = VersionPolicy()


def _said(
    base_path: Path, caplog: pytest.LogCaptureFixture, policy: VersionPolicy = LATEST
) -> list[str]:
    def load(name: str, version: int, directory: Path) -> LoadedModel:
        raise AssertionError((name, version, directory))

    manager = VersionManager(ModelConfig("m", base_path, policy), load, LoadOptions(poll_seconds=0))
    with caplog.at_level(logging.WARNING):
        manager.start()
        manager.wait_until_settled(is_new=False, timeout=10)
    manager.stop()
    return caplog.messages


def test_an_empty_folder_is_waited_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = _said(tmp_path, caplog)
    assert said == [f"{tmp_path} has no version to serve. Waiting for one."]


def test_a_saved_model_itself_is_told_from_a_folder_of_versions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / GRAPH_FILE).touch()
    (said,) = _said(tmp_path, caplog)
    assert (
        f"It is a SavedModel itself; expected a folder of versions: move it to {tmp_path}/1" in said
    )


def _write_version(directory: Path) -> None:
    saved_model = saved_model_pb2.SavedModel()
    saved_model.meta_graphs.add().meta_info_def.tags.append("serve")
    directory.mkdir(parents=True)
    (directory / GRAPH_FILE).write_bytes(saved_model.SerializeToString())


class _Loaded:
    """Stands for a model in memory."""

    def close(self) -> None:
        """Frees nothing."""


def test_another_version_with_the_same_number_is_told_not_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def load(*_: object) -> LoadedModel:
        return _Loaded()  # type: ignore[return-value]

    for folder in ("a", "b"):
        _write_version(tmp_path / folder / "1")
    manager = VersionManager(ModelConfig("m", tmp_path / "a"), load, LoadOptions(poll_seconds=0.05))
    manager.start()
    assert manager.wait_until_settled(is_new=True, timeout=30)
    with caplog.at_level(logging.WARNING):
        manager.configure(ModelConfig("m", tmp_path / "b"))
        assert manager.wait_until_settled(is_new=False, timeout=30)
    manager.stop()
    said = f"loaded from {tmp_path}/a/1 and stays; the one in {tmp_path}/b/1 is not served"
    assert sum(said in message for message in caplog.messages) == 1


def test_files_that_have_just_come_do_not_wait_for_the_next_look(tmp_path: Path) -> None:
    loaded: list[int] = []

    def load(_: str, version: int, __: Path) -> LoadedModel:
        loaded.append(version)
        raise ServingError(grpc.StatusCode.INTERNAL, "seen")

    _write_version(tmp_path / "1")
    manager = VersionManager(ModelConfig("m", tmp_path), load, LoadOptions(poll_seconds=3600))
    manager.start()
    assert manager.wait_until_settled(is_new=True, timeout=30)
    manager.stop()
    assert loaded == [1]


@pytest.mark.parametrize(("asked", "words"), [({7, 9}, "9, 7"), (set(), "none")])
def test_versions_that_are_asked_for_in_vain_are_told(
    asked: set[int], words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 9):
        if number != 7:
            (tmp_path / str(number)).mkdir()
    (said,) = _said(tmp_path, caplog, VersionPolicy(None, frozenset(asked)))
    assert f"Its versions are 8, 6, 5, 4, 3; the configuration asks for {words} (" in said
