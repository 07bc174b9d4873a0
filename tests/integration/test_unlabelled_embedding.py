"""Whether a training embeds images without labels, of which there may be very many."""

from pathlib import Path

import pytest
from labelled_examples import write_examples
from trainer_inputs import write_inputs
from training_digits import LABELS, digit_paths

from components.trainer import task_reader
from components.trainer.task_reader import Inputs, read_task
from models.training.training_settings import TrainingSettings


@pytest.mark.parametrize(("most", "read"), [(20, 2), (5, 0)])
def test_those_are_embedded_that_a_head_reads_where_labelled_images_are_few(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, read: int
) -> None:
    monkeypatch.setattr(task_reader, "MOST", 2)
    write_inputs(digits_folder, tmp_path)
    paths = digit_paths(digits_folder)["test"][:3]
    others = [("", path.name, path.read_bytes()) for path in paths]
    write_examples(tmp_path / "more", {"unlabelled": others})
    inputs = Inputs(
        examples_uri=str(tmp_path / "examples"),
        embeddings_uri=str(tmp_path / "embeddings"),
        labels=LABELS,
        values={},
        unlabelled_uri=str(tmp_path / "more"),
        embeddings_dir=str(tmp_path / "cache"),
    )
    settings = TrainingSettings(few_shot_images=most)
    logs = tmp_path / "logs"
    task = read_task(inputs, settings, seed=1, scratch=tmp_path / "s", log_dir=logs).task
    assert task.unlabelled is not None
    width = task.embeddings.train.embeddings.shape[1] if read else 0
    assert task.unlabelled.images == 3
    assert task.unlabelled.embeddings.shape == (read, width)
