"""Images of another domain without labels: a head, and a backbone, that learn from copies."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from labelled_examples import write_examples
from PIL import Image
from training_digits import SIZE, answers_of, digit_paths, digits_task, tiny_backbone

import models.training.train as train_module
from models.backbones import Backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.errors import BadDataError
from models.training.fine_tuned_copies import NAME, train_on_copies
from models.training.strategies.choice import StrategyRecord
from models.training.strategies.target_look import TargetLook
from models.training.train import Trained, train
from models.training.training_task import TrainingTask, with_head


def faint(image: bytes) -> bytes:
    """The image as a bad scanner shows it."""
    with Image.open(io.BytesIO(image)) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.float32)
    changed = Image.fromarray((200.0 - 0.25 * pixels * (1.0, 0.9, 0.7)).astype(np.uint8))
    buffer = io.BytesIO()
    changed.save(buffer, "png")
    return buffer.getvalue()


def domain_task(
    digits_folder: Path, folder: Path, backbone: Backbone | None = None, **settings: Any
) -> TrainingTask:
    """120 labelled images to train on, 40 to validate on, and 40 faint ones without a label."""
    write_examples(
        folder / "target",
        {
            "unlabelled": [
                ("", str(number), image) for number, image in enumerate(faint_ones(digits_folder))
            ]
        },
    )
    task = digits_task(digits_folder, folder, backbone, **settings)
    return replace(task, target_uri=str(folder / "target"))


def faint_ones(digits_folder: Path) -> list[bytes]:
    return [faint(path.read_bytes()) for path in digit_paths(digits_folder)["test"]]


def accuracy(model: keras.Model, digits_folder: Path) -> float:
    """On the faint images."""
    images = [decode_and_resize(each, ImageSpec(SIZE)) for each in faint_ones(digits_folder)]
    truth = [int(path.parent.name) for path in digit_paths(digits_folder)["test"]]
    answers = answers_of(model, np.stack(images))
    return float((answers.argmax(axis=1) == truth).mean())


def tried(trained: Trained, name: str) -> StrategyRecord:
    (found,) = (each for each in trained.record.strategies if each.name == name)
    return found


def test_images_of_another_domain_are_learned_from_without_their_labels(digits_folder, tmp_path):
    task = domain_task(digits_folder, tmp_path, strategy="feature_extraction")
    without = train(replace(task, target_uri=""))
    trained = train(task)
    look = tried(trained, TargetLook.name)
    assert look.kept, look.words
    assert "120 training and 40 validation images" in look.reason
    assert accuracy(trained.model, digits_folder) > accuracy(without.model, digits_folder) + 0.1


@pytest.mark.slow
def test_a_backbone_learns_from_copies_too(digits_folder, tmp_path, monkeypatch):
    before: list[float] = []

    def asked_before(task: TrainingTask, trainer: Any, first: Any, head: keras.Model, *rest: Any):
        before.append(accuracy(with_head(task.backbone.model, head), digits_folder))
        return train_on_copies(task, trainer, first, head, *rest)

    monkeypatch.setattr(train_module, "train_on_copies", asked_before)
    trained = train(domain_task(digits_folder, tmp_path, epochs=5))
    phases = [phase.name for phase in trained.record.phases]
    assert phases == ["head", "fine_tune", "fine_tune_copies"]
    second = tried(trained, NAME)
    assert second.kept, second.words
    assert second.of == "fine_tuned"
    assert "on 120 images and 120 copies" in second.words
    assert trained.record.exported == "fine_tuned"
    assert "judged on copies that look like data.target" in trained.record.exported_reason
    assert not list(tmp_path.rglob("*.npy")), "activations were left behind"
    assert accuracy(trained.model, digits_folder) > before[0] + 0.1


def test_a_finished_training_on_copies_is_not_repeated(digits_folder, tmp_path):
    settings: dict[str, Any] = {"epochs": 3, "learning_rate": 3e-3}
    tasks = [
        domain_task(digits_folder, tmp_path / name, tiny_backbone(), **settings)
        for name in ("one", "again")
    ]
    one = train(tasks[0])
    assert "fine_tune_copies" in [phase.name for phase in one.record.phases]
    assert tried(one, NAME).of == "fine_tuned"
    assert "on 120 images and 120 copies" in tried(one, NAME).words
    assert not list(tmp_path.rglob("*.npy")), "activations were left behind"
    again = train(replace(tasks[1], scratch=tasks[0].scratch))
    assert again.record.resumed_from_epoch is not None
    assert again.record.strategies == one.record.strategies
    for before, after in zip(one.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)


def test_without_room_for_the_copies_it_is_not_done_and_says_so(digits_folder, tmp_path):
    trained = train(
        domain_task(digits_folder, tmp_path, tiny_backbone(), cache_gigabytes=0.0, epochs=1)
    )
    assert [phase.name for phase in trained.record.phases] == ["head", "fine_tune"]
    assert "do not fit training.cache_gigabytes" in tried(trained, NAME).words


def test_too_few_images_of_another_domain_are_refused(digits_folder, tmp_path):
    task = digits_task(digits_folder, tmp_path, tiny_backbone())
    path = digit_paths(digits_folder)["test"][0]
    write_examples(tmp_path / "target", {"unlabelled": [("", "a", path.read_bytes())]})
    with pytest.raises(BadDataError, match=r"data\.target: 1 images are left.* at least 30"):
        train(replace(task, target_uri=str(tmp_path / "target")))
