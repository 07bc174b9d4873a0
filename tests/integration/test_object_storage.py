"""Histories and pushed versions in real servers, each of which lives in an environment of its own.

For s3:// it is moto's, for gs:// gcp-storage-emulator.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from graft_command import Answer, await_that, graft
from histories import history, task, write
from model_folders import contents, model_folder

from components.publisher.publish import publish, published_versions, withdraw
from models.errors import GraftError
from models.history.collection import collect
from models.history.share import share_history
from models.storage.locations import files_in, read_place, write_place
from models.storage.mirror import Mirror
from models.storage.place_error import PlaceError
from models.storage.seals import write_sums

s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
MOTO = shutil.which("moto_server")
EMULATOR = shutil.which("gcp-storage-emulator")
pytestmark = pytest.mark.slow
_FETCH = "import sys, pathlib; from models.storage.mirror import Mirror; at = sys.argv[2:];"
_FETCH += " Mirror(sys.argv[1], *map(pathlib.Path, at)).update([''], print)"
_PUBLISH = "import sys, pathlib; from components.publisher.publish import publish;"
_PUBLISH += " publish(pathlib.Path(sys.argv[1]), sys.argv[2])"


@contextmanager
def served(*command: str) -> Iterator[str]:
    """Runs a server on a free port and gives its address."""
    port = free_port()
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, str(port)], env=outside, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await_that(lambda: listens(port), "the server answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if MOTO is None:
        pytest.skip("no `moto_server` on PATH, from an environment of its own")
    with served(MOTO, "-H", "127.0.0.1", "-p") as address:
        yield address


@pytest.fixture
def bucket(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new bucket's URI."""
    for key, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"bucket-{random.randrange(10**9)}"
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}"
    s3fs.S3FileSystem.clear_instance_cache()


def published(target: str) -> dict[str, bytes]:
    """All files in a folder of the bucket, by their names below it."""
    return {name: store().cat_file(f"{target}/{name}") for name in names(target)}


def names(target: str) -> list[str]:
    root = target.removeprefix("s3://")
    return [path[len(root) + 1 :] for path in store().find(root)]


def store() -> Any:
    return s3fs.S3FileSystem(use_listings_cache=False)


def test_a_team_shares_histories_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    team = f"{bucket}/team"
    with pytest.raises(PlaceError, match="there is nothing, or no such bucket"):
        files_in(team, ".jsonl")
    files = [write(tmp_path / name / "history.jsonl", history(task(name))) for name in "ab"]
    for file in [*files, *files]:
        share_history(str(file), team)
    places = files_in(team, ".jsonl")
    assert len(places) == 2
    assert {read_place(place, 10**6) for place in places} == {f.read_bytes() for f in files}
    write_place(places[0], read_place(places[0], 10**6).replace(b"photos", b"phones"))
    found = collect([("", team)])
    assert len(found.entries) == 1
    assert "damaged, or changed since its name was given" in found.skipped[0].reason
    with pytest.raises(PlaceError, match="larger than"):
        read_place(places[0], 10)


def test_what_is_wrong_is_told(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PlaceError, match=r"no such file or bucket \(The specified bucket does not"):
        write_place(f"{bucket}-of-nobody/a", b"")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(PlaceError, match="EndpointConnectionError: Could not connect"):
        files_in(f"{bucket}/team", ".jsonl")
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(PlaceError, match=r"no credentials .* Set AWS_ACCESS_KEY_ID"):
        files_in(f"{bucket}/team", ".jsonl")


def test_killed_publications_never_show_half_a_version_and_the_next_goes_on(
    bucket: str, tmp_path: Path
) -> None:
    pushed = model_folder(tmp_path / "7", "one", files=20, size=300_000)
    write_sums(pushed)
    target, whole = f"{bucket}/models", {f"7/{k}": v for k, v in contents(pushed).items()}
    moment, sent_before = random.Random(0), 0
    for _ in range(8):
        act = subprocess.Popen([sys.executable, "-c", _PUBLISH, str(pushed), target])
        while act.poll() is None and len(names(target)) <= sent_before:
            time.sleep(0.01)
        time.sleep(moment.uniform(0.0, 0.5))
        act.send_signal(signal.SIGKILL)
        act.wait()
        there = published(target)
        if "7/saved_model.pb" in there:
            assert {k: v for k, v in there.items() if k.startswith("7/")} == whole
        sent_before = len(there)
    publication = publish(pushed, target)
    assert publication.sent < len(whole)
    assert published(target) == whole
    assert not publish(pushed, target).new
    with pytest.raises(GraftError, match="another model has the number 7 there"):
        publish(other(tmp_path / "other" / "7"), target)
    withdraw(target, 7)
    assert published_versions(target) == []


def test_killed_fetches_show_no_half_file_and_the_next_goes_on(bucket: str, tmp_path: Path) -> None:
    photos = {f"{number % 7}/{number}.jpg": os.urandom(20_000) for number in range(600)}
    for name, content in photos.items():
        store().pipe_file(f"{bucket}/photos/{name}", content)
    copy, moment = tmp_path / "copy", random.Random(0)
    places = [str(copy), str(tmp_path / "index.json"), str(tmp_path / "incoming")]
    for _ in range(6):
        act = subprocess.Popen([sys.executable, "-c", _FETCH, f"{bucket}/photos", *places])
        time.sleep(moment.uniform(1.0, 3.0))
        act.send_signal(signal.SIGKILL)
        act.wait()
        assert contents(copy).items() <= photos.items()
    said: list[str] = []
    Mirror(f"{bucket}/photos", *map(Path, places)).update([""], said.append)
    assert contents(copy) == photos
    store().rm_file(f"{bucket}/photos/0/0.jpg")
    Mirror(f"{bucket}/photos", *map(Path, places)).update([""], said.append)
    assert contents(copy).keys() == photos.keys() - {"0/0.jpg"}


def other(folder: Path) -> Path:
    model_folder(folder, "two")
    write_sums(folder)
    return folder


@pytest.mark.skipif(EMULATOR is None, reason="no `gcp-storage-emulator` on PATH, likewise")
def test_gs_takes_both_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gcsfs = pytest.importorskip("gcsfs", reason="the extra gs is not installed")
    pushed = other(tmp_path / "7")
    bucket, options = "gs://bucket", ("--host", "127.0.0.1", "--in-memory")
    with served(EMULATOR or "", "start", *options, "--default-bucket", "bucket", "--port") as at:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", at)
        gcsfs.GCSFileSystem.clear_instance_cache()
        write_place(f"{bucket}/team/one.jsonl", b"one")
        assert files_in(bucket, ".jsonl") == [f"{bucket}/team/one.jsonl"]
        assert read_place(f"{bucket}/team/one.jsonl", 10) == b"one"
        with pytest.raises(PlaceError, match="no such file or bucket"):
            write_place(f"{bucket}-of-nobody/a", b"")
        assert publish(pushed, f"{bucket}/models").new
        assert not publish(pushed, f"{bucket}/models").new
        names = {file.rpartition("models/7/")[2] for file in files_in(f"{bucket}/models", "")}
        assert names == set(contents(pushed))
        withdraw(f"{bucket}/models", 7)
        assert published_versions(f"{bucket}/models") == []
        copy = tmp_path / "copy"
        mirror = Mirror(f"{bucket}/team", copy, tmp_path / "index.json", tmp_path / "incoming")
        for content in (b"one", b"two"):
            write_place(f"{bucket}/team/one.jsonl", content)
            mirror.update([""], print)
            assert contents(copy) == {"one.jsonl": content}
    gcsfs.GCSFileSystem.clear_instance_cache()


def test_a_run_publishes_what_it_pushes_and_comes_back_to_it(
    bucket: str, digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"{bucket}/models/graft"
    keys = {
        "model.image_size": 32,
        "tuning.budget": 0,
        "training.strategy": "feature_extraction",
        "evaluation.min_accuracy": 0.2,
        "evaluation.max_drop_below_probe": 1.0,
        "serving.publish": target,
        "knowledge.share": f"{bucket}/team",
    }

    def run() -> Answer:
        said = [each for key, value in keys.items() for each in ("--set", f"{key}={value}")]
        given = ("--data", digits_folder, "--workspace", tmp_path / "work")
        return graft("run", *given, *said, "--json")

    away = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    first = run()
    assert first.code == 1
    assert first.summary["status"] == "failed"
    assert "but was not published: s3://" in first.summary["reason"]
    assert first.summary["model"]["published_to"] is None
    serving = tmp_path / "work" / "serving" / "graft"
    assert first.summary["model"]["pushed_to"] == str(serving / "1")

    monkeypatch.setenv("AWS_ENDPOINT_URL", away)
    second = run()
    assert (second.code, second.summary["status"]) == (0, "pushed")
    assert second.summary["model"]["published_to"] == f"{target}/1"
    fresh = {name for name, stage in second.summary["stages"].items() if not stage["cached"]}
    assert fresh == {"Publisher"}
    version = {f"1/{name}": content for name, content in contents(serving / "1").items()}
    assert published(target) == version

    # A run that has nothing new to publish needs no bucket.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    third = run()
    assert (third.code, third.summary["model"]["published_to"]) == (0, f"{target}/1")


def test_a_run_takes_its_images_from_a_bucket(
    bucket: str, digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = sorted(digits_folder.rglob("*.png"))
    for file in images:
        store().put_file(str(file), f"{bucket}/digits/{file.relative_to(digits_folder)}")

    def stage(name: str) -> Answer:
        given = ("--data", f"{bucket}/digits", "--workspace", tmp_path / "work")
        return graft("stage", name, *given, "--json")

    first = stage("ImageExampleGen")
    assert (first.code, first.summary["status"]) == (0, "stage_done")
    assert first.summary["data"]["offered"] == len(images)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    second = stage("ImageExampleGen")
    assert (second.code, second.summary["status"]) == (1, "failed")
    assert f"data.path: {bucket}/digits: EndpointConnectionError" in second.summary["reason"]
    assert "the same command goes on from there" in second.summary["reason"]
