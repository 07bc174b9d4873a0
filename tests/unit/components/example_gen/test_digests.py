import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from components.example_gen import digests
from components.example_gen.digests import DigestCache, fingerprint
from components.example_gen.ingest import read_source
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve

LONG_AGO = 1_500_000_000


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def fingerprint_of(data: Path, cache: Path | str = "") -> str:
    listing = list_source(str(data), IngestSettings())
    return fingerprint(listing, DigestCache(str(cache), listing.root).digests(listing.files))


def test_digests_are_those_of_the_content(data):
    listing = list_source(str(data), IngestSettings())
    digests = DigestCache("", listing.root).digests(listing.files)
    assert digests == [sha256(file.name.encode()).hexdigest() for file in listing.files]


def test_touching_and_moving_change_nothing(data, tmp_path):
    before = fingerprint_of(data)
    os.utime(data / "cat/1.jpg", (LONG_AGO, LONG_AGO))
    assert fingerprint_of(data) == before
    moved = data.rename(tmp_path / "elsewhere")
    assert fingerprint_of(moved) == before


def test_content_name_and_label_count(data):
    seen = {fingerprint_of(data)}
    (data / "cat/1.jpg").write_text("other")
    seen.add(fingerprint_of(data))
    (data / "cat/1.jpg").rename(data / "cat/3.jpg")
    seen.add(fingerprint_of(data))
    (data / "cat").rename(data / "lion")
    seen.add(fingerprint_of(data))
    (data / "README").write_text("outside every class")
    seen.add(fingerprint_of(data))
    assert len(seen) == 5


def test_the_group_counts(data):
    plain, grouped = (
        list_source(str(data), IngestSettings(group=group)) for group in ("", r"/(\d)\.jpg")
    )
    digests = DigestCache("", plain.root).digests(plain.files)
    assert fingerprint(plain, digests) != fingerprint(grouped, digests)


def test_a_change_that_keeps_size_and_time_is_seen(data, tmp_path):
    cache = tmp_path / "cache"
    file = data / "cat/1.jpg"
    os.utime(file, (LONG_AGO, LONG_AGO))
    before = fingerprint_of(data, cache)
    file.write_text("cat/9.jpg")
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert fingerprint_of(data, cache) != before


def test_settled_files_are_not_read_again(data, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    before = fingerprint_of(data, cache)
    monkeypatch.setattr("components.example_gen.digests._sha256", pytest.fail)
    assert fingerprint_of(data, cache) == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[[1]]", b"null", b'{"a": 1}'])
def test_a_damaged_memory_is_forgotten(data, tmp_path, monkeypatch, damage):
    cache = tmp_path / "cache"
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    before = fingerprint_of(data, cache)
    (memory,) = cache.iterdir()
    memory.write_bytes(damage)
    assert fingerprint_of(data, cache) == before


def test_a_flipped_digit_of_a_remembered_digest_is_noticed(data, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    before = fingerprint_of(data, cache)
    (memory,) = cache.iterdir()
    content = memory.read_bytes()
    for position in range(0, len(content), 7):
        memory.write_bytes(content[:position] + b"7" + content[position + 1 :])
        assert fingerprint_of(data, cache) == before


def test_a_file_that_cannot_be_read_is_refused(data):
    listing = list_source(str(data), IngestSettings())
    (data / "cat/1.jpg").unlink()
    digests = DigestCache("", listing.root).digests(listing.files)
    assert [getattr(digest, "code", "read") for digest in digests] == ["unreadable", "read", "read"]


def test_a_further_span_leaves_what_is_known_of_the_others(tmp_path, monkeypatch):
    read = []
    original = digests._sha256

    def watched(path, size):
        read.append(Path(path))
        return original(path, size)

    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    monkeypatch.setattr(digests, "_sha256", watched)
    for span in ("1", "2", "3"):
        for label in ("a", "b"):
            image = tmp_path / "spans" / span / label / "x.png"
            image.parent.mkdir(parents=True)
            image.write_bytes(f"{span}{label}".encode())
        read.clear()
        locations = resolve(str(tmp_path / "spans" / "{SPAN}"), "all")
        with read_source(locations, IngestSettings(), str(tmp_path / "cache")) as source:
            found = {image.path: image.sha256 for image in source.images}
        assert found == {path: sha256(Path(path).read_bytes()).hexdigest() for path in found}
        assert len(found) == 2 * int(span)
        assert [path.parts[-3] for path in read] == [span, span]
    assert len(list((tmp_path / "cache").iterdir())) == 1
