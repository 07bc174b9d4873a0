"""What the search for the head reads of groups."""

import dataclasses
from pathlib import Path

import numpy as np
from embedded_digits import label, write_digits

from components.embedded_data import SearchData, read_data
from models.embedding import read_embeddings, write_embeddings
from models.history.records import SearchDescription
from models.search.workers.served_search import ServedSearch, read_task, write_served

LABELS = tuple(label(digit) for digit in range(3))


def with_groups(folder: Path, groups: list[str] | None) -> SearchData:
    write_digits(folder, range(3))
    if groups is not None:
        split = read_embeddings(folder, "train")
        names = np.resize(np.array(groups), len(split.labels))
        write_embeddings(folder, "train", dataclasses.replace(split, groups=names))
    return read_data(str(folder), LABELS)


def test_groups_come_with_the_training_images(tmp_path: Path) -> None:
    plain = with_groups(tmp_path / "plain", None)
    assert plain.task.train.groups is None
    data = with_groups(tmp_path / "groups", ["p1", "", "p2", ""])
    groups = data.task.train.groups
    assert groups is not None
    assert len(groups) == len(data.task.train.classes)
    assert len(set(groups[0::4])) == len(set(groups[2::4])) == 1
    alone = len(groups[1::4]) + len(groups[3::4])
    assert len(set(groups)) == alone + 2
    assert data.origin.data_fingerprint != plain.origin.data_fingerprint


def test_workers_elsewhere_get_the_groups(tmp_path: Path) -> None:
    search = SearchDescription(
        algorithm="random", seed=0, epochs=2, patience=1, class_weights="none", metric="accuracy"
    )
    for groups in (None, ["p1", "p2"]):
        task = with_groups(tmp_path / f"data-{groups is None}", groups).task
        served = ServedSearch(mark="m", address="here:1", code="c", classes=3, search=search)
        write_served(tmp_path, served, task)
        again = read_task(tmp_path, served).train.groups
        assert (again is None) == (groups is None)
        np.testing.assert_array_equal(again, task.train.groups)
