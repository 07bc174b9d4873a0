import hashlib
from pathlib import Path

import numpy as np
import pytest
from histories import history, task, write

from models.curves.surrogate import Surrogate
from models.history import shipped
from models.history.collection import collect
from models.search.tried import curve_task


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_all_of_the_library_is_read_and_can_be_learned_from() -> None:
    found = collect([("", file) for file in shipped.starter_files()])
    assert (found.skipped, found.repeated) == ((), ())
    assert all(entry.is_starter for entry in found.entries)
    assert {entry.subject for entry in found.entries} == {"joint"}
    tasks = [curve_task(entry.history, entry.name) for entry in found.entries]
    assert len(tasks) == len(shipped.starter_files()) > 1
    assert all(len(task.begun) > 15 for task in tasks)
    for place, each in enumerate(tasks):
        surrogate = Surrogate([*tasks[:place], *tasks[place + 1 :]])
        points = surrogate.points(each, [curve.values for curve in each.begun])
        ends = np.array([curve.best() for curve in each.begun])
        # Foretold from nothing, of a task that it never saw: some way towards where they end.
        off = surrogate.outlook(points).mean[:, -1] - ends
        assert np.abs(off).mean() < 0.35


def test_it_is_small_and_tells_images_of_every_history() -> None:
    files = list(shipped.FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files) < 2_000_000
    samples = shipped.read_samples()
    assert set(samples) == {file.name for file in shipped.starter_files()}
    assert all(40 < len(set(sample)) <= 64 for sample in samples.values())


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two histories, on a hundred hats and on a hundred boots."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    for name in ("hats", "boots"):
        write(tmp_path / f"{name}.jsonl", history(task(name), name=name))
    samples = {
        f"{name}.jsonl": shipped.sample_images(digest(f"{name} {n}") for n in range(100))
        for name in ("hats", "boots")
    }
    shipped.write_samples(tmp_path, samples)
    return tmp_path


def test_a_history_of_the_same_images_is_left_out(library: Path) -> None:
    hats = [digest(f"hats {number}") for number in range(30, 45)]
    kept, left_out = shipped.unrelated_files([*hats, digest("a shoe")])
    assert kept == [library / "boots.jsonl"]
    assert [each.name for each in left_out] == ["hats (starter)"]
    assert "images that are in this data too" in left_out[0].reason
    kept, left_out = shipped.unrelated_files([digest("a shoe")])
    assert [file.name for file in kept] == ["boots.jsonl", "hats.jsonl"]
    assert left_out == []


def test_a_sample_depends_on_the_images_alone() -> None:
    digests = [digest(str(number)) for number in range(200)]
    sample = shipped.sample_images(digests)
    assert shipped.sample_images([*reversed(digests), *digests]) == sample
    # What joins the data takes few places of the sample.
    more = shipped.sample_images([*digests, *(digest(f"new {number}") for number in range(20))])
    assert len(set(sample) - set(more)) < 20


def test_the_version_changes_with_the_library(library: Path) -> None:
    before = shipped.starter_version()
    assert shipped.starter_version() == before
    write(library / "hats.jsonl", history(task("hats"), [0.1, 0.2], name="hats"))
    assert shipped.starter_version() != before
