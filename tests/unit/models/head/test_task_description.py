import numpy as np
import pytest

from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, fingerprint
from models.head.task_description import Origin, describe
from models.search.relatives import distance

ORIGIN = Origin("Net", "imagenet", "ab", image_size=224, data_fingerprint="cd")


def balls(
    classes: int, each: int, dimension: int, distance: float, seed: int = 0
) -> LabelledEmbeddings:
    """Standard normal balls around centres that are `distance` from the origin."""
    generator = np.random.default_rng(seed)
    centres = np.eye(classes, dimension) * distance
    labels = np.repeat(np.arange(classes), each)
    points = centres[labels] + generator.normal(size=(len(labels), dimension))
    return LabelledEmbeddings(points.astype(np.float32), labels)


def test_figures_of_a_task_that_is_known() -> None:
    task = HeadTask(balls(4, 500, 16, 0.0), balls(4, 50, 16, 0.0, seed=1), 4)
    described = describe(task, ORIGIN)
    assert (described.images, described.validation_images, described.classes) == (2000, 200, 4)
    assert described.balance == pytest.approx(1)
    assert described.embedding.total_variance == pytest.approx(16, rel=0.02)
    assert described.embedding.effective_dimension == pytest.approx(16, rel=0.02)
    assert described.embedding.class_separation < 0.01
    assert described.embedding.centroid_accuracy == pytest.approx(0.25, abs=0.1)


def test_classes_far_apart_are_easy() -> None:
    task = HeadTask(balls(4, 50, 16, 30.0), balls(4, 20, 16, 30.0, seed=1), 4)
    statistics = describe(task, ORIGIN).embedding
    assert statistics.class_separation > 0.9
    assert statistics.centroid_accuracy == 1
    assert statistics.effective_dimension == pytest.approx(3, rel=0.15)


def test_an_uneven_task_a_missing_class_and_constant_features_are_described() -> None:
    split = LabelledEmbeddings(np.ones((10, 3), np.float32), np.array([0] * 9 + [2]))
    described = describe(HeadTask(split, split, 3), ORIGIN)
    assert described.balance == pytest.approx(0.3251 / np.log(3), rel=1e-3)
    assert described.embedding.total_variance == 0
    assert described.embedding.effective_dimension == 0


def test_the_fingerprint_follows_content_label_and_split_but_not_order() -> None:
    splits = {"train": (["a", "b"], ["cat", "dog"]), "test": (["c"], ["cat"])}
    same = {"test": (["c"], ["cat"]), "train": (["b", "a"], ["dog", "cat"])}
    assert fingerprint(splits) == fingerprint(same)
    others = [
        {"train": (["a", "x"], ["cat", "dog"]), "test": (["c"], ["cat"])},
        {"train": (["a", "b"], ["dog", "cat"]), "test": (["c"], ["cat"])},
        {"train": (["a"], ["cat"]), "test": (["b", "c"], ["dog", "cat"])},
    ]
    assert len({fingerprint(each) for each in [splits, *others]}) == 4


def test_descriptions_tell_how_far_apart_the_images_of_two_tasks_lie() -> None:
    def described(shift: float, seed: int):
        images = balls(4, 500, 512, 0.0, seed)
        split = LabelledEmbeddings(images.embeddings + np.float32(shift), images.classes)
        return describe(HeadTask(split, split, 4), ORIGIN)

    task = described(0.0, 1)
    assert distance(described(0.0, 2), task) == pytest.approx(0.0, abs=0.01)
    # Each of 512 features with a variance of 1 is moved by 0.5.
    assert distance(described(0.5, 2), task) == pytest.approx(0.25, rel=0.4)
