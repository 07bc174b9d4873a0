"""A second fine-tuning on the answers of the first, also to images without labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_examples import write_examples
from training_digits import digit_paths, digits_task, tiny_backbone

from models.head.earlier_head import EarlierHead
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import UnlabelledEmbeddings
from models.training.further_images import FurtherImages
from models.training.image_split import ImageSplit
from models.training.own_answers import NAME
from models.training.top_trainer import TopTrainer
from models.training.train import train
from models.training.training_task import TrainingTask


@pytest.fixture
def task(digits_folder, tmp_path) -> TrainingTask:
    return unlabelled_task(digits_folder, tmp_path)


def unlabelled_task(digits_folder: Path, folder: Path, **settings) -> TrainingTask:
    """120 labelled images to train on and 40 without a label, a tiny backbone."""
    backbone = tiny_backbone()
    images = [path.read_bytes() for path in digit_paths(digits_folder)["test"]]
    others = {"unlabelled": [("", str(number), each) for number, each in enumerate(images)]}
    write_examples(folder / "others", others)
    chosen = {"epochs": 4, "few_shot_images": 0, "learning_rate": 3e-3, **settings}
    return replace(
        digits_task(digits_folder, folder, backbone, **chosen),
        unlabelled=UnlabelledEmbeddings(np.zeros((0, 0), np.float32), len(images)),
        unlabelled_uri=str(folder / "others"),
    )


def test_the_one_that_is_kept_is_exported_and_the_record_tells(task):
    record = train(task).record
    names = [phase.name for phase in record.phases]
    assert names[:3] == ["head", "fine_tune", "fine_tune_again"]
    tried = record.strategies[-1]
    assert tried.name == NAME
    assert "40 images without labels beside 120 labelled ones" in tried.reason
    assert "answers of the model before to 160 images" in tried.words
    first, second = (phase.epochs[phase.best_epoch]["val_accuracy"] for phase in record.phases[1:3])
    if record.exported == "fine_tuned":
        assert record.validation_accuracy == pytest.approx(second if tried.kept else first)
        # Of the first alone it was measured; even there what comes of it may be dropped.
        assert not (record.refitted_images and tried.kept)
    assert not list(task.scratch.rglob("*.npy")), "activations were left behind"


def test_a_finished_training_is_not_repeated(digits_folder, tmp_path):
    one, other = (
        train(unlabelled_task(digits_folder, tmp_path / name)) for name in ("whole", "other")
    )
    task = unlabelled_task(digits_folder, tmp_path / "again")
    again = train(replace(task, scratch=tmp_path / "whole" / "scratch"))
    assert again.record.resumed_from_epoch is not None
    assert again.record.strategies == one.record.strategies == other.record.strategies
    for before, after in zip(one.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)


def test_the_successor_comes_to_answer_like_the_model_before_and_can_be_taken_back(task):
    head = fit_frozen_head(task.embeddings).model
    trainer = TopTrainer(task, head, "float32")
    start = answers(task, head)
    trainer.train(task)
    first, weights = answers(task, head), head.get_weights()
    others = ImageSplit(task.unlabelled_uri, "unlabelled", ("",), task.spec, most=40)
    second = trainer.train_again(task, FurtherImages("again", "others", others, 40))
    assert second is not None
    assert np.abs(answers(task, head) - first).mean() < np.abs(start - first).mean()
    trainer.take_back()
    np.testing.assert_array_equal(answers(task, head), first)
    np.testing.assert_array_equal(head.get_weights()[-1], weights[-1])


def answers(task: TrainingTask, head) -> np.ndarray:
    """Logits of images without labels."""
    images = [each.numpy() for each, _ in others_of(task).encoded().map(others_of(task).decode)]
    return head(task.backbone.model(np.stack(images), training=False)).numpy()


def others_of(task: TrainingTask) -> ImageSplit:
    return ImageSplit(task.unlabelled_uri, "unlabelled", ("",), task.spec)


def test_without_room_for_the_activations_it_is_not_done_and_says_so(digits_folder, tmp_path):
    record = train(unlabelled_task(digits_folder, tmp_path, cache_gigabytes=0.0, epochs=1)).record
    assert [phase.name for phase in record.phases] == ["head", "fine_tune"]
    assert not record.strategies[-1].kept
    assert "do not fit training.cache_gigabytes" in record.strategies[-1].words


def test_beside_an_earlier_model_it_is_not_done_and_says_so(digits_folder, tmp_path):
    shapes = (16, 16, (16, 10), 10)
    earlier = EarlierHead(*(np.ones(shape, np.float32) for shape in shapes))
    task = replace(unlabelled_task(digits_folder, tmp_path, epochs=1), earlier=earlier)
    record = train(task).record
    assert [phase.name for phase in record.phases] == ["head", "fine_tune"]
    assert (record.strategies[-1].name, record.strategies[-1].kept) == (NAME, False)
    assert "goes on from the last blessed model" in record.strategies[-1].words


def test_where_nothing_learns_from_them_it_says_why(digits_folder, tmp_path):
    settings = {"strategy": "feature_extraction", "few_shot_images": 10}
    (told,) = train(unlabelled_task(digits_folder, tmp_path, **settings)).record.strategies
    assert told.reason == "40 images without labels (data.unlabelled) that can be used"
    assert "at most 10 labelled images (training.few_shot_images), and it has 16" in told.words
    assert "the head alone is trained (asked for in the configuration)" in told.words
    assert not told.kept


def test_without_images_without_labels_nothing_of_it_is_tried(digits_folder, tmp_path):
    task = replace(unlabelled_task(digits_folder, tmp_path, epochs=1), unlabelled=None)
    record = train(task).record
    assert [phase.name for phase in record.phases] == ["head", "fine_tune"]
    assert NAME not in [each.name for each in record.strategies]
