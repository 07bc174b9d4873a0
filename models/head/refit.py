"""The linear head once more, fitted to the images of training and validation together.

Validation images choose the strength of the penalty, say how good the head is, and find its
temperature. Then they have nothing left to say, and a head that learns from them too is better, the
more so the fewer images there are (`benchmarks/strategies/refit.py`). Nothing may be judged on them
afterwards, so this is for what is exported alone.
"""

from dataclasses import replace

import keras

from models.head.frozen_head import FrozenHead
from models.head.head_model import build_head, standardised, statistics
from models.head.labelled_embeddings import HeadTask
from models.head.linear_head import fit_at
from models.history.records import ClassWeights


def refitted(head: FrozenHead, task: HeadTask, class_weights: ClassWeights = "none") -> keras.Model:
    """Fits a head to all images of its task, with the penalty that validation chose.

    Args:
        head: that was fitted to the training images; where it was drawn to an earlier one, so is
            this.
        task: training and validation embeddings.
        class_weights: that it was fitted with; balanced ones follow all images.

    Returns:
        From raw embeddings [n, d] to logits [n, k], without a temperature.
    """
    whole = replace(task, train=task.labelled)
    earlier = head.earlier
    mean, variance = (
        (earlier.mean, earlier.variance) if earlier else statistics(whole.train.embeddings)
    )
    kernel, bias = fit_at(
        head.strength,
        standardised(whole.train.embeddings, mean, variance),
        whole.train.classes,
        whole.class_weights(class_weights),
        earlier.start(class_weights) if earlier else None,
    )
    model = build_head(len(mean), task.classes, mean=mean, variance=variance)
    model.get_layer("logits").set_weights([kernel, bias])
    return model
