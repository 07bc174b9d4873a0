"""What a training makes of images that come from the last blessed model's data."""

import pytest
from trainer_inputs import write_inputs
from training_digits import LABELS

from components.example_gen.replay import Replay, write_replay
from components.trainer.task_reader import Inputs, read_task
from models.data.example_reader import read_records
from models.training.training_settings import TrainingSettings


@pytest.fixture(scope="module")
def folder(digits_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replayed")
    write_inputs(digits_folder, folder)
    return folder


def weighting(folder, settings):
    inputs = Inputs(str(folder / "examples"), str(folder / "embeddings"), LABELS, values={})
    read = read_task(inputs, settings, seed=1, scratch=folder / "scratch", log_dir=folder / "logs")
    return read.task.settings.weighting


def test_classes_are_weighed_alike_where_some_are_in_the_task(folder, tmp_path):
    assert weighting(folder, TrainingSettings()) == "none"
    record = next(iter(read_records(str(folder / "examples"), "train")))
    replay = Replay(
        str(folder / "examples"), {bytes.fromhex(record.sha256): ("train", record.label)}
    )
    write_replay(replay, str(folder / "examples"), [], ())
    assert weighting(folder, TrainingSettings()) == "balanced"
    assert weighting(folder, TrainingSettings(class_weights="none")) == "none"
