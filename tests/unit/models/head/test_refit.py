from dataclasses import replace

import numpy as np
from scipy.special import softmax

from models.head.earlier_head import EarlierHead
from models.head.frozen_head import fit_frozen_head
from models.head.head_model import standardised, statistics
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.linear_head import fit_linear
from models.head.refit import refitted

CENTRES = np.random.default_rng(0).normal(size=(3, 20))


def draw(images: int, seed: int, classes: tuple[int, ...] = (0, 1, 2)) -> LabelledEmbeddings:
    generator = np.random.default_rng(seed)
    drawn = generator.choice(classes, images)
    features = 5.0 + CENTRES[drawn] + generator.normal(0.0, 2.0, (images, 20))
    return LabelledEmbeddings(features.astype(np.float32), drawn)


def answers(model, asked: LabelledEmbeddings) -> np.ndarray:
    return softmax(model.predict(asked.embeddings, verbose=0), axis=1)


def test_images_that_it_was_fitted_to_already_change_nothing():
    train, asked = draw(200, 1), draw(100, 3)
    task = HeadTask(train, train, 3)
    head = fit_frozen_head(task)
    np.testing.assert_allclose(
        answers(refitted(head, task), asked), answers(head.model, asked), atol=0.01
    )


def test_it_learns_from_the_validation_images():
    task = HeadTask(draw(100, 1, (0, 1)), draw(60, 2), 3)
    head = fit_frozen_head(task)
    before = answers(head.model, draw(200, 3)).argmax(axis=1)
    after = answers(refitted(head, task), draw(200, 3)).argmax(axis=1)
    assert 2 not in before
    assert np.count_nonzero(after == 2) > 20


def test_the_penalty_is_the_one_that_validation_chose():
    task = HeadTask(draw(60, 1), draw(30, 2), 3)
    head = fit_frozen_head(task)
    both, asked = task.labelled, draw(100, 3)
    mean, variance = statistics(both.embeddings)
    rows, unseen = (standardised(each.embeddings, mean, variance) for each in (both, asked))
    expected = fit_linear(
        rows, both.classes, rows, both.classes, np.ones(3, np.float32), (head.strength,)
    )
    np.testing.assert_allclose(
        refitted(head, task).predict(asked.embeddings, verbose=0),
        unseen @ expected.kernel + expected.bias,
        atol=1e-4,
    )


def test_it_is_drawn_to_the_earlier_head_that_it_was_drawn_to():
    known = fit_frozen_head(HeadTask(draw(200, 5), draw(60, 6), 3)).solution
    earlier = EarlierHead(known.mean, known.variance, known.linear.kernel, known.linear.bias)
    task = HeadTask(draw(30, 1, (0, 1)), draw(30, 2, (0, 1)), 3)
    tight = replace(fit_frozen_head(task, earlier=earlier), strength=1e4)
    kernel, bias = refitted(tight, task).get_layer("logits").get_weights()
    np.testing.assert_allclose(kernel, earlier.kernel, atol=1e-3)
    np.testing.assert_allclose(bias, earlier.bias, atol=1e-3)
    kernel, _ = refitted(replace(tight, earlier=None), task).get_layer("logits").get_weights()
    np.testing.assert_allclose(kernel, 0.0, atol=1e-3)


def test_balanced_classes_are_those_of_all_images():
    images = draw(200, 1, (0, 1))
    first, second = (np.flatnonzero(images.classes == each)[:50] for each in (0, 1))
    # Four to one in training, one to four in validation: in all nothing is left to balance.
    task = HeadTask(
        images.rows(np.concatenate([first[:40], second[:10]])),
        images.rows(np.concatenate([first[40:], second[10:]])),
        2,
    )
    head = fit_frozen_head(task, "balanced")
    plain, balanced = (answers(refitted(head, task, kind), images) for kind in ("none", "balanced"))
    np.testing.assert_allclose(plain, balanced, atol=1e-5)
