import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import history, task, write

from models.history.collection import collect
from models.history.library import choose, distance, read_library
from models.history.shipped import starter_files
from models.history.tuning_history import history_bytes, read_history
from models.search.tried import curve_task


def test_the_library_holds_searches_and_says_what_it_left_out(tmp_path: Path) -> None:
    write(tmp_path / "bad.jsonl", b"not a history")
    for number in range(3):
        created = f"2026-11-2{number}T10:00:00+00:00"
        of = task(str(number), images=100 + number)
        write(tmp_path / f"{number}.jsonl", history(of, [0.5, None, 0.7], created=created))
    found = read_library([("", tmp_path)], task=task("new"), most=2)
    names = [name for name, _ in found.histories]
    assert names == ["photos, 2026-11-20", "photos, 2026-11-22"]
    assert found.histories[0][1].header.task == task("0", images=100)
    reasons = {each.name: each.reason for each in found.skipped}
    assert "not a tuning history" in reasons["bad.jsonl"]
    assert "2 more related or newer" in reasons["photos, 2026-11-21"]


HOSTILE: list[tuple[tuple[str, ...], object, str]] = [
    (("task", "images"), 10**400, "task.images"),
    (("task", "classes"), 10**400, "task.classes"),
    (("trials",), 10**400, "trials"),
    (("space", "parameters", "5", "high"), 1e308, "space.parameters.5.float.high"),
    (("space", "parameters", "5", "low"), 5e-324, "must start above 0, at 1e-50 or more"),
    (("space", "parameters", "2", "values"), [10**400], "space.parameters.2.choice.values.0"),
]


@pytest.mark.parametrize(
    ("field", "value", "reason"), HOSTILE, ids=[reason for _, _, reason in HOSTILE]
)
def test_a_hostile_file_is_left_out_alone(
    tmp_path: Path, field: tuple[str, ...], value: object, reason: str
) -> None:
    """A search learns from the file beside it as if the other were not there."""
    good, other = starter_files()[:2]
    shutil.copy(good, tmp_path)
    first, rest = other.read_bytes().split(b"\n", 1)
    header = part = json.loads(first)
    for key in field[:-1]:
        part = part[int(key)] if isinstance(part, list) else part[key]
    part[field[-1]] = value
    (tmp_path / "hostile.jsonl").write_bytes(json.dumps(header).encode() + b"\n" + rest)

    of = read_history(other).header
    found = read_library([("", tmp_path)], task=of.task)
    (skipped,) = found.skipped
    assert skipped.name == "hostile.jsonl"
    assert reason in skipped.reason
    assert [name for name, _ in found.histories] == [f"{good.stem} (starter), {date(good)}"]

    (name, history) = found.histories[0]
    assert len(curve_task(history, name).begun) == len(history.completed) > 0


ANYTHING: Any = (
    10**400,
    -1,
    1e308,
    5e-324,
    True,
    None,
    "",
    "x" * 2000,
    "\x1b[2J\u202e",
    [],
    {},
    [[1]],
)


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(part, dict):
        inner = part.items()
    elif isinstance(part, list):
        inner = enumerate(part)
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def test_whatever_stands_in_a_file_the_one_beside_it_is_used(tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl", history(task("good"), name="good"))
    hostile = history_bytes(history(task("hostile"), [0.5, 0.6, 0.7], name="hostile"))
    for line in (0, 1):
        for place in places(json.loads(hostile.splitlines()[line])):
            for value in ANYTHING:
                content = [json.loads(each) for each in hostile.splitlines()]
                part = content[line]
                for key in place[:-1]:
                    part = part[key]
                part[place[-1]] = value
                text = "".join(json.dumps(each) + "\n" for each in content)
                write(tmp_path / "hostile.jsonl", text.encode())
                found = read_library([("", tmp_path)], task=task("new"))
                names = [name.partition(",")[0] for name, _ in found.histories]
                assert "good" in names, (place, value)
                assert len(names) + len(found.skipped) == 2, (place, value)
                assert all(each.reason.isprintable() for each in found.skipped)
                for name, kept in found.histories:
                    curve_task(kept, name)


def test_the_bound_keeps_the_same_task_the_related_and_the_newest(tmp_path: Path) -> None:
    target = task("target", images=1000, classes=10)
    write(tmp_path / "same.jsonl", history(target, name="same", created="2020-01-01", seed=5))
    for year, images in ((2021, 900), (2022, 10), (2023, 100_000), (2024, 20), (2025, 50_000)):
        of = task(str(year), images=images, classes=10)
        write(tmp_path / f"{year}.jsonl", history(of, name=str(year), created=f"{year}-01-01"))
    entries = collect([("", tmp_path)]).entries
    kept = [entry.name.partition(",")[0] for entry in choose(entries, target, most=4)]
    assert kept == ["same", "2021", "2024", "2025"]
    newest = [entry.name.partition(",")[0] for entry in choose(entries, None, most=2)]
    assert newest == ["2025", "2024"]
    assert len(choose(entries, target)) == 6


def test_what_comes_with_graft_takes_the_places_that_are_left(tmp_path: Path) -> None:
    files = starter_files()
    related = read_history(files[0]).header.task
    write(tmp_path / "own.jsonl", history(task("own", images=7), name="own", created="2001-01-01"))
    found = read_library([("", file) for file in (*files, tmp_path)], task=related, most=2)
    assert [name for name, _ in found.histories] == [
        "own, 2001-01-01",
        f"{files[0].stem} (starter), {date(files[0])}",
    ]


def date(file: Path) -> str:
    return read_history(file).header.created.partition("T")[0]


def test_distance_is_zero_for_the_same_task_alone() -> None:
    one = task("a")
    assert distance(one, task("a")) == 0
    other_embeddings = one.model_copy(update={"weights_digest": "ef" * 32})
    assert 0 < distance(one, task("b")) < distance(one, other_embeddings)
    assert distance(one, task("b", images=1000)) > distance(one, task("b", images=200))
