"""A fine-tuned model goes on with the images of training and validation together.

Validation images choose the best epoch, say how good the model is, and find its temperature. Then
they have nothing left to say, and a model that learns from them too is better, the more so the
fewer images there are (`benchmarks/strategies/network_refit.py`). No image is left to choose an
epoch by, so it goes on for a few of them, whatever comes of it. Nothing may be judged on the
validation images afterwards: this is for what is exported alone, as `models.head.refit` is.
"""

from dataclasses import dataclass, replace
from typing import Final

import keras

from models.head.evidence import compare
from models.training.further_images import FurtherImages
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer
from models.training.training_record import Phase
from models.training.training_task import TrainingTask, with_head

EPOCHS: Final = 5
"""With all images. Eight, or a whole training with them, take longer and were not surely better."""
_PHASE: Final = "fine_tune_all"


@dataclass(frozen=True)
class NetworkRefit:
    """What such a training left beside the weights.

    Attributes:
        phase: of it, without figures of the validation images, which it learned from.
        before: the model that did not learn from them, from images float32 [n, s, s, 3] to
            probabilities [n, k], without a temperature.
    """

    phase: Phase
    before: keras.Model


def train_on_all(
    task: TrainingTask, trainer: TopTrainer, first: TopPhase, head: keras.Model
) -> NetworkRefit | None:
    """Fine-tunes on; backbone and head then have the weights of the last epoch.

    Args:
        task: of the training.
        trainer: that has just trained it.
        first: what that came to.
        head: of the trainer.

    Returns:
        None, and nothing is changed, where activations of all images do not fit the cache, or the
        model answers what it has learned from worse than before, as one does that diverged.
    """
    classifier = with_head(task.backbone.model, head)
    before = keras.models.clone_model(classifier)
    before.set_weights(classifier.get_weights())
    held = task.embeddings.validation.classes
    second = trainer.train_again(
        task,
        FurtherImages(_PHASE, _PHASE, task.validation, len(held), held),
        more=EPOCHS,
    )
    if second is None:
        return None
    if not compare(second.answers, first.answers).gain >= 0.0:
        trainer.take_back()
        return None
    epochs = tuple(
        {"loss": epoch["loss"], "val_loss": None, "val_accuracy": None}
        for epoch in second.phase.epochs
    )
    return NetworkRefit(replace(second.phase, epochs=epochs), before)
