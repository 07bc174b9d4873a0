"""What is said of a bucket that cannot be used."""

import sys
from pathlib import Path

import pytest

from models.storage import buckets
from models.storage.buckets import Bucket, unusable
from models.storage.locations import files_in, join, write_place
from models.storage.place_error import PlaceError


@pytest.mark.parametrize(("uri", "extra"), [("s3://bucket/a", "s3"), ("gs://bucket/a", "gs")])
def test_a_package_that_is_missing_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, uri: str, extra: str
) -> None:
    for module in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, module, None)
    assert f"Call pip install 'graft[{extra}]'" in unusable(uri)
    with pytest.raises(PlaceError, match="its package is not installed"):
        Bucket(uri)


def test_memory_can_be_used_and_an_unknown_scheme_cannot() -> None:
    assert unusable("memory://bucket/a") == ""
    assert unusable("s4://bucket/a").endswith("got the unknown scheme 's4'")


@pytest.mark.parametrize("uri", ["s3://", "gs://", "s3:///folder"])
def test_a_uri_without_a_bucket_is_refused_and_never_a_path(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unusable(uri).endswith("expected the name of a bucket, such as s3://bucket/folder")
    for act in (lambda: write_place(join(uri, "a"), b""), lambda: files_in(uri, "")):
        with pytest.raises(PlaceError, match="expected the name of a bucket"):
            act()
    assert not list(tmp_path.iterdir())


class NoCredentialsError(Exception):
    pass


class EndpointConnectionError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError("Unable to locate"), "no credentials (Unable to locate). Set AWS_ACC"),
        (OSError("Anonymous caller does not have"), "no credentials (Anonymous caller"),
        (PermissionError("Access Denied"), "these credentials do not allow it (Access Denied)"),
        (
            FileNotFoundError("The specified bucket"),
            "no such file or bucket (The specified bucket)",
        ),
        (EndpointConnectionError("no\nroute"), "EndpointConnectionError: no"),
        (TimeoutError(), "TimeoutError: TimeoutError"),
    ],
)
def test_errors_of_libraries_become_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def raises(uri: str) -> None:
        raise error

    monkeypatch.setattr(buckets, "_opened", raises)
    with pytest.raises(PlaceError) as told:
        Bucket("s3://bucket/a/")
    assert str(told.value).startswith("s3://bucket/a: ")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_is_no_file() -> None:
    Bucket("memory://folders/a/b.txt").write(b"")
    assert Bucket("memory://folders/a/b.txt").read(10) == b""
    with pytest.raises(PlaceError, match="folders/a: "):
        Bucket("memory://folders/a").read(10)
    assert Bucket("memory://folders/a").is_there()
    assert not Bucket("memory://folders/c").is_there()
