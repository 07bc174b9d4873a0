from pathlib import Path

import keras
import numpy as np
import pytest
from search_digits import search_task

from models.backbone_choice.backbone_choice import Candidate
from models.backbones import build_backbone
from models.head.evidence import answers_of
from models.search.negative_transfer import check_weights, choose_weights

FILE = Candidate(backbone="EfficientNetLite0", weights="mine.weights.h5", image_size=32)
IMAGENET = FILE.model_copy(update={"weights": "imagenet"})
RANDOM = FILE.model_copy(update={"weights": "none"})


def answers(share: float):
    """Of a head that is right about a share of 100 images."""
    classes = np.arange(100) % 4
    logits = np.eye(4)[(classes + (np.arange(100) >= 100 * share)) % 4]
    return answers_of(3.0 * logits, classes)


@pytest.mark.parametrize(
    ("shares", "kept"),
    [((0.9, 0.5, 0.3), FILE), ((0.5, 0.9, 0.3), IMAGENET), ((0.2, 0.25, 0.8), RANDOM)],
)
def test_weights_are_replaced_by_better_ones(shares, kept):
    each = dict(zip((FILE, IMAGENET, RANDOM), map(answers, shares), strict=True))
    chosen, words = choose_weights(FILE, each)
    assert chosen == kept
    assert "mine.weights.h5" in words
    assert ("they harm" in words) == (kept != FILE)
    assert f"{max(shares[1:]):.1%} of validation images against {shares[0]:.1%}" in words or (
        kept == FILE
    )


def test_a_file_that_is_hardly_worse_is_kept():
    each = {FILE: answers(0.80), IMAGENET: answers(0.81), RANDOM: answers(0.2)}
    assert choose_weights(FILE, each)[0] == FILE


def test_only_files_are_tried(digits_folder, tmp_path):
    task = search_task(digits_folder, tmp_path)
    checked = check_weights(task, tmp_path / "activations")
    assert checked.task == task
    assert checked.words == ""


@pytest.mark.slow
def test_permuted_weights_are_caught(digits_folder, tmp_path):
    model = build_backbone("EfficientNetLite0", "imagenet", 32).trunk
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.permutation(np.ravel(weight.numpy())).reshape(weight.shape))
    file = _saved(model, tmp_path / "permuted.weights.h5")
    good = _saved(
        build_backbone("EfficientNetLite0", "imagenet", 32).trunk, tmp_path / "good.weights.h5"
    )
    task = search_task(digits_folder, tmp_path)
    candidates = tuple(FILE.model_copy(update={"weights": str(each)}) for each in (file, good))
    checked = check_weights(
        task.model_copy(update={"candidates": candidates}), tmp_path / "activations"
    )
    assert checked.task.candidates == (IMAGENET, candidates[1])
    assert f"{file} were not used" in checked.words
    assert f"{good} were tried" in checked.words


def _saved(model: keras.Model, file: Path) -> Path:
    model.save_weights(file)
    return file
