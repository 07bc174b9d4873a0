"""What a run comes to by itself: the product's own training, to its very end."""

from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.data.example_schema import TEST
from models.search.prepared_backbone import PreparedBackbone
from models.training.image_split import ImageSplit
from models.training.train import train
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask

_BATCH: Final = 64


def accuracy_by_itself(
    prepared: PreparedBackbone, settings: TrainingSettings, scratch: Path
) -> float:
    """Trains, and judges what would be exported on the test images.

    Args:
        prepared: of `top_tuning.prepared_backbone`; its backbone has its weights again afterwards.
        settings: of the training.
        scratch: folder of this training alone.
    """
    trunk = prepared.backbone.trunk
    before = trunk.get_weights()
    task = prepared.training(settings, scratch)
    answers, truth = tested(train(task).model, task)
    trunk.set_weights(before)
    return float((answers.argmax(axis=1) == truth).mean())


def tested(
    classifier: keras.Model, task: TrainingTask
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Answers to the test images.

    Args:
        classifier: from images float32 [n, s, s, 3] to probabilities [n, k].
        task: that it was trained on.

    Returns:
        Probabilities float32 [n, k] and classes int [n].
    """
    test = ImageSplit(task.examples_uri, TEST, task.labels, task.spec)
    batches = test.encoded().map(test.decode).batch(_BATCH).as_numpy_iterator()
    pairs = [(classifier.predict_on_batch(images), classes) for images, classes in batches]
    answers, truth = zip(*pairs, strict=True)
    return np.concatenate(answers), np.concatenate(truth)
