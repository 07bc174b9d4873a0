"""Images of buckets on their way into the workspace; fsspec's memory stands for a bucket."""

from pathlib import Path
from typing import Any

import fsspec
import pytest

from models.errors import BadDataError, UsageError
from models.storage.place_error import PlaceError
from pipeline.config import Config
from pipeline.config_file import as_yaml, load_config
from pipeline.fetched_paths import is_fetched, source_of
from pipeline.image_fetch import fetch_images
from pipeline.needed.inputs import inputs_of
from pipeline.needed.needed_command import NOT_NEEDED, say_whether_needed
from pipeline.preflight import check


@pytest.fixture
def bucket(tmp_path: Path) -> str:
    return f"memory://{tmp_path.name}"


def _put(uri: str, *names: str) -> None:
    for name in names:
        with fsspec.open(f"{uri}/{name}", "wb") as file:
            file.write(name.encode())


def _config(tmp_path: Path, **data: Any) -> Config:
    keys = {f"data.{key}": value for key, value in data.items()}
    return load_config(None, {"workspace": str(tmp_path / "work")} | keys)


def _here(config: Config, path: str) -> set[str]:
    return {file.relative_to(path).as_posix() for file in Path(path).rglob("*") if file.is_file()}


def test_a_folder_of_a_bucket_becomes_one_of_the_workspace(tmp_path: Path, bucket: str) -> None:
    _put(bucket, "photos/cat/1.jpg", "photos/dog/2.jpg", "other/3.jpg", "new/4.jpg")
    config = _config(tmp_path, path=f"{bucket}/photos/", unlabelled=f"{bucket}/new")
    check(config)
    assert config.data.path == str(tmp_path / "work/fetched/memory" / tmp_path.name / "photos")
    fetch_images(config)
    assert _here(config, config.data.path) == {"cat/1.jpg", "dog/2.jpg"}
    assert _here(config, config.data.unlabelled) == {"4.jpg"}


def test_the_configuration_of_a_run_names_the_bucket(tmp_path: Path, bucket: str) -> None:
    config = _config(tmp_path, path=f"{bucket}/photos", target=f"{bucket}/target")
    file = tmp_path / "graft.yaml"
    file.write_text(as_yaml(config))
    assert f"path: {bucket}/photos" in file.read_text()
    assert load_config(file, {}) == config
    moved = load_config(file, {"workspace": str(tmp_path / "moved")})
    assert moved.data.path.startswith(str(tmp_path / "moved"))
    assert is_fetched(config)
    assert not is_fetched(_config(tmp_path, path=str(tmp_path)))
    assert source_of(str(tmp_path / "work/fetched"), tmp_path / "work") == ""


def test_only_the_spans_in_the_window_are_fetched(tmp_path: Path, bucket: str) -> None:
    days = [f"daily/2026-01-0{day}" for day in (1, 2, 3)]
    _put(bucket, *(f"{day}/images/cat/1.jpg" for day in days), "daily/readme.txt")
    pattern = f"{bucket}/daily/{{DATE}}/images"
    config = _config(tmp_path, path=pattern, spans="last 2")
    fetch_images(config)
    root = str(tmp_path / "work/fetched/memory" / tmp_path.name)
    assert _here(config, root) == {f"{day}/images/cat/1.jpg" for day in days[1:]}
    _put(bucket, "daily/2026-01-04/images/cat/1.jpg", "daily/2026-01-05/elsewhere/1.jpg")
    fetch_images(config)
    days = ["daily/2026-01-03", "daily/2026-01-04"]
    assert _here(config, root) == {f"{day}/images/cat/1.jpg" for day in days}
    with pytest.raises(
        BadDataError, match=r"No span was found: nothing lies at memory://.*/nights/\{SPAN\},"
    ):
        fetch_images(_config(tmp_path, path=f"{bucket}/nights/{{SPAN}}"))


def test_a_manifest_comes_with_the_images_beside_it(tmp_path: Path, bucket: str) -> None:
    _put(bucket, "set/labels.csv", "set/a/1.jpg", "photos/2.jpg")
    config = _config(tmp_path, path=f"{bucket}/set/labels.csv")
    fetch_images(config)
    assert Path(config.data.path).read_bytes() == b"set/labels.csv"
    assert _here(config, str(Path(config.data.path).parent)) == {"labels.csv", "a/1.jpg"}
    config = _config(tmp_path, path=f"{bucket}/set/labels.csv", images=f"{bucket}/photos")
    fetch_images(config)
    assert _here(config, str(Path(config.data.path).parent)) == {"labels.csv"}
    assert _here(config, config.data.images) == {"2.jpg"}


def test_a_manifest_in_the_folder_of_the_images_has_nothing_fetched_twice(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(bucket, "set/labels.csv", "set/a/1.jpg")
    config = _config(tmp_path, path=f"{bucket}/set/labels.csv", images=f"{bucket}/set")
    fetch_images(config)
    capsys.readouterr()
    fetch_images(config)
    assert capsys.readouterr().err == ""
    assert _here(config, config.data.images) == {"labels.csv", "a/1.jpg"}


def test_a_single_file_of_records_is_fetched_alone(tmp_path: Path, bucket: str) -> None:
    _put(bucket, "set/a.tfrecord", "set/b.tfrecord")
    config = _config(tmp_path, path=f"{bucket}/set/a.tfrecord")
    fetch_images(config)
    assert _here(config, str(Path(config.data.path).parent)) == {"a.tfrecord"}


def test_a_new_image_in_the_bucket_makes_a_run_needed(
    tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(bucket, "photos/cat/1.jpg")
    config = _config(tmp_path, path=f"{bucket}/photos")
    fetch_images(config)
    before = inputs_of(config)
    assert inputs_of(config) == before
    _put(bucket, "photos/cat/2.jpg")
    assert say_whether_needed(config, by_monitor=True) == NOT_NEEDED
    assert inputs_of(config) == before
    assert say_whether_needed(config, by_monitor=False) == 0
    assert "Fetching 1 files" in capsys.readouterr().err
    assert inputs_of(config).changed_since(before) == ["data"]


def test_what_is_not_there_is_told_with_its_key(tmp_path: Path, bucket: str) -> None:
    with pytest.raises(UsageError, match=r"data\.path: there is nothing at memory://.*/nowhere"):
        fetch_images(_config(tmp_path, path=f"{bucket}/nowhere"))
    _put(bucket, "photos/cat/1.jpg")
    config = _config(tmp_path, path=f"{bucket}/photos")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/fetched").write_text("of somebody")
    with pytest.raises(PlaceError, match=r"data\.path: .*What came is kept"):
        fetch_images(config)


@pytest.mark.parametrize("uri", ["s3://bucket//photos", "gs://bucket/../photos", "s3:///photos"])
def test_a_uri_that_can_be_no_path_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match=r"data\.path: expected a bucket and a folder"):
        _config(tmp_path, path=uri)


@pytest.mark.parametrize("uri", ["https://host/photos.zip", "file:///srv/photos"])
def test_what_is_no_bucket_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match=r"data\.path: expected a path of this machine"):
        _config(tmp_path, path=uri)


def test_a_scheme_without_a_package_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown scheme 's4'"):
        check(_config(tmp_path, path="s4://bucket/photos"))
