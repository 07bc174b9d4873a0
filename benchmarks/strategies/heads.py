"""Heads on frozen features: the one that a run exports, and others to compare it with."""

import keras

from models.head import discriminant
from models.head.discriminant import Choice, Form
from models.head.frozen_head import FrozenHead
from models.head.head_model import build_head, standardised, statistics
from models.head.labelled_embeddings import LabelledEmbeddings
from models.head.refit import refitted
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation


def exported_head(linear: FrozenHead, situation: Situation) -> keras.Model:
    """What a run exports that fine-tunes nothing (`models.training.train`), but for a temperature.

    Args:
        linear: head of the situation's training and validation images.
        situation: that strategies are tried in.
    """
    chosen = choose_head(linear.model, linear.answers, situation)
    task, settings = situation.task, situation.settings
    is_many = len(task.labelled.classes) > settings.refit_images
    if chosen.model is not linear.model or is_many:
        return chosen.model
    return refitted(linear, task, settings.weighting)


def discriminant_head(rows: LabelledEmbeddings, classes: int, form: Form) -> keras.Model:
    """Class means, and a covariance that they share.

    Args:
        rows: to fit it to.
        classes: number of classes.
        form: how far the covariance is shrunk, and whether images have unit length.
    """
    mean, variance = statistics(rows.embeddings)
    solved = discriminant.fit(
        standardised(rows.embeddings, mean, variance),
        rows.classes,
        classes,
        Choice(form, 1.0, None),
    )
    head = build_head(
        len(mean), classes, mean=mean, variance=variance, unit_length=form.unit_length
    )
    head.get_layer("logits").set_weights([*solved])
    return head


def accuracy(head: keras.Model, judged: LabelledEmbeddings) -> float:
    """Share of images that a head answers rightly."""
    logits = head.predict(judged.embeddings, batch_size=1024, verbose=0)
    return float((logits.argmax(axis=1) == judged.classes).mean())
