"""The live comparison: what it draws, how it ends a training, what it keeps, and its figures."""

import json
import random
import sys
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from benchmarks.search.live.bench import ArmError, Comparison, compare
from benchmarks.search.live.drawn_task import draw_task, write_task
from benchmarks.search.live.fine_tuned import train_within
from benchmarks.search.live.table import mean_ranks, paired_difference, to_markdown, worst_gaps
from models.data.example_reader import read_records
from models.errors import BadDataError


def _write(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes of 20 and 12 images."""
    for number in range(32):
        label = "cat" if number < 20 else "dog"
        _write(tmp_path / "pets" / label / f"{number}.png", number)
    return tmp_path / "pets"


def _digests(files):
    return {each.path.read_bytes() for each in files}


def test_each_class_has_its_share_of_each_split(folder):
    files = draw_task(folder, 0).files
    assert files.labels == ("cat", "dog")
    counts = {
        name: [sum(each.label == label for each in part) for label in files.labels]
        for name, part in (("train", files.train), ("test", files.test))
    }
    assert counts == {"train": [12, 7], "test": [5, 3]}
    assert [each.label for each in files.validation].count("dog") == 2
    for one, other in combinations((files.train, files.validation, files.test), 2):
        assert not _digests(one) & _digests(other)


def test_another_seed_draws_other_images_and_the_same_seed_the_same(folder):
    first, again, other = draw_task(folder, 0), draw_task(folder, 0), draw_task(folder, 1)
    assert first == again
    assert first.digest != other.digest
    assert _digests(first.files.test) != _digests(other.files.test)


def test_images_a_class_bound_training_and_validation_but_not_the_test(folder):
    files = draw_task(folder, 0, images_a_class=5).files
    assert (len(files.train), len(files.validation)) == (8, 2)
    assert files.test == draw_task(folder, 0).files.test


def test_a_copy_of_a_test_image_is_not_trained_on(tmp_path):
    for label, first in (("cat", 0), ("dog", 100)):
        for number in range(6):
            _write(tmp_path / "pets" / "train" / label / f"{number}.png", first + number)
        # The first three are copies.
        for number in range(3, 9):
            _write(tmp_path / "pets" / "test" / label / f"{number}.png", first + number)
    files = draw_task(tmp_path / "pets", 0).files
    assert (len(files.train) + len(files.validation), len(files.test)) == (6, 12)
    assert not _digests((*files.train, *files.validation)) & _digests(files.test)


def test_a_class_that_is_too_small_is_named(folder):
    _write(folder / "axolotl" / "1.png", 99)
    with pytest.raises(BadDataError, match=r"Class 'axolotl' of .* has 0 images"):
        draw_task(folder, 0)


def test_a_task_lies_as_examples_and_as_folders(folder, tmp_path):
    task = draw_task(folder, 0)
    write_task(task, tmp_path / "task")
    for split in ("train", "validation", "test"):
        drawn = getattr(task.files, split)
        records = list(read_records(str(tmp_path / "task" / "examples"), split))
        assert [each.label for each in records] == [each.label for each in drawn]
        for place, label in enumerate(task.files.labels):
            linked = (tmp_path / "task" / "images" / split / f"{place:04}").iterdir()
            own = [each for each in drawn if each.label == label]
            assert {each.read_bytes() for each in linked} == _digests(own)


class _Clock:
    """One whose time is spent by what is trained."""

    def __init__(self, seconds):
        self.left = seconds


def _trained(seconds, *, each, ends=1000):
    """Epochs that were asked for, call by call, and the time that is left."""
    clock, asked = _Clock(seconds), []
    made: list[float] = []

    def train(stop):
        asked.append(stop)
        while len(made) < min(stop, ends):
            made.append(each)
            clock.left -= each
        return made, len(made) >= ends

    train_within(clock, train)
    return asked, len(made), clock.left


def test_a_training_ends_before_the_epoch_that_does_not_fit():
    asked, made, left = _trained(10.5, each=1.0)
    assert (made, left) == (10, 0.5)
    assert len(asked) < 6
    assert asked == sorted(set(asked))


def test_a_training_makes_one_epoch_at_the_least():
    assert _trained(0.5, each=1.0)[1] == 1


def test_a_training_that_ends_by_itself_is_not_asked_again():
    asked, made, left = _trained(100.0, each=1.0, ends=5)
    assert (made, left) == (5, 95.0)
    assert len(asked) == 2


def _comparison(folder, tmp_path, **changes):
    given = {
        "folders": [folder],
        "arms": ["joint", "head"],
        "seeds": 2,
        "images_a_class": (None,),
        "minutes": 0.1,
        "cores": 2,
        "most_test": 100,
        "cache": tmp_path / "cache",
    }
    return Comparison(**{**given, **changes})


def _figures(accuracy):
    return {
        "accuracy": accuracy,
        "log_loss": 0.5,
        "seconds": 6.0,
        "chosen": "a model",
        "notes": {},
        "cpu_seconds": 9.0,
    }


def test_what_has_ended_is_not_run_again(folder, tmp_path):
    ran = []

    def run(arm, situation, cores):
        assert cores == 2
        assert situation.seconds == 6.0
        assert situation.scratch.is_dir()
        ran.append((arm, situation.seed))
        if (arm, situation.seed) == ("head", 1) and len(ran) == 4:
            raise ArmError("failed")
        return _figures(0.8)

    results, failed = compare(_comparison(folder, tmp_path), run)
    assert (len(results), failed) == (3, 1)
    assert not list((tmp_path / "cache").glob("arm-*"))
    results, failed = compare(_comparison(folder, tmp_path), run)
    assert (len(results), failed) == (4, 0)
    assert ran == [("joint", 0), ("head", 0), ("joint", 1), ("head", 1), ("head", 1)]
    # Other minutes are another comparison.
    assert len(compare(_comparison(folder, tmp_path, minutes=0.2, seeds=1), _other)[0]) == 2


def _other(arm, situation, cores):
    return _figures(0.1)


def test_a_line_that_was_cut_short_costs_that_result_alone(folder, tmp_path):
    compare(_comparison(folder, tmp_path), _other)
    file = tmp_path / "cache" / "results.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    ran = []

    def run(arm, situation, cores):
        ran.append((arm, situation.seed))
        return _figures(0.7)

    results, _ = compare(_comparison(folder, tmp_path), run)
    assert ran == [("head", 1)]
    assert [each.accuracy for each in results] == [0.1, 0.1, 0.1, 0.7]
    assert len(compare(_comparison(folder, tmp_path), _never)[0]) == 4


def _never(arm, situation, cores):
    raise AssertionError(arm)


def test_a_process_that_fails_is_an_arm_that_failed(folder, tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    results, failed = compare(_comparison(folder, tmp_path, seeds=1))
    assert (results, failed) == ([], 2)


SCORES = {
    "one": {"a": {0: 0.9, 1: 0.8}, "b": {0: 0.5}},
    "other": {"a": {0: 0.8, 1: 0.8}, "b": {0: 0.6}},
    "third": {"a": {0: 0.8, 1: 0.9}, "b": {0: 0.4}},
}


def test_differences_are_paired_and_weigh_tasks_alike():
    found = paired_difference(SCORES, "one", "other")
    assert found
    mean, (low, high) = found
    assert mean == pytest.approx((0.05 - 0.1) / 2)
    assert low == pytest.approx(-0.1)
    assert 0.05 <= high <= 0.1
    assert paired_difference({"one": {"a": {0: 1.0}}, "two": {"b": {0: 1.0}}}, "one", "two") is None


def test_ranks_share_the_place_of_those_that_are_level():
    ranks = mean_ranks(SCORES)
    assert ranks == pytest.approx({"one": 5.5 / 3, "other": 6 / 3, "third": 6.5 / 3})


def test_the_worst_gap_is_that_to_the_best_arm_of_a_task():
    assert worst_gaps(SCORES) == pytest.approx({"one": 0.1, "other": 0.05, "third": 0.2})


def test_the_tables_tell_of_each_number_of_images(folder, tmp_path):
    draw = random.Random(0)
    comparison = _comparison(folder, tmp_path, images_a_class=(5, None))

    def run(arm, situation, cores):
        return _figures(0.9 if arm == "joint" else 0.8 + 0.01 * draw.random())

    text = to_markdown(compare(comparison, run)[0], comparison.arms)
    assert text.count("### ") == 2
    rows = [line for line in text.splitlines() if line.startswith("| head | 2 |")]
    assert len(rows) == 2
    assert all("| +9." in row and "] points |" in row for row in rows)
    assert json.loads((tmp_path / "cache" / "results.jsonl").read_text().splitlines()[0])
