from dataclasses import replace

import numpy as np
from few_images import accuracy, draw, situation

from models.data.image_look import find_likeness
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation, Target
from models.training.strategies.target_look import TargetLook

_TURN = np.linalg.qr(np.random.default_rng(4).normal(size=(60, 60)))[0]

_NOT_USED = find_likeness(np.zeros((2, 8, 8, 3), np.float32), np.ones((2, 8, 8, 3), np.float32))


def elsewhere(images: LabelledEmbeddings, share: float) -> LabelledEmbeddings:
    """Images as another domain shows them, which the head does not know."""
    turned = images.embeddings @ _TURN
    mixed = (1.0 - share) * images.embeddings + share * turned
    return LabelledEmbeddings(mixed.astype(np.float32), images.classes)


def with_target(share: float) -> Situation:
    given = situation(400, 120, noise=0.3)
    train, validation = (
        elsewhere(each, share) for each in (given.task.train, given.task.validation)
    )
    seen = elsewhere(draw(200, 6, 0.3), share).embeddings
    return replace(
        given, target=Target(seen, HeadTask(train, validation, given.task.classes), _NOT_USED)
    )


def test_without_a_target_it_is_not_for_this_situation():
    assert not TargetLook().reason(situation(400, 120))


def test_a_target_that_looks_otherwise_is_learned():
    given = with_target(1.0)
    assert "400 training and 120 validation images" in TargetLook().reason(given)
    linear = fit_frozen_head(given.task)
    chosen = choose_head(linear.model, linear.answers, given, (TargetLook(),))
    (tried,) = chosen.tried
    assert tried.kept
    assert chosen.is_for_target
    asked = draw(400, 3, 0.3)
    assert accuracy(chosen.model, elsewhere(asked, 1.0)) > 0.2 + accuracy(
        linear.model, elsewhere(asked, 1.0)
    )
    assert accuracy(chosen.model, asked) > accuracy(linear.model, asked) - 0.1
    # What the report shows of the validation split is of the validation images themselves.
    assert chosen.answers.accuracy == accuracy(chosen.model, given.task.validation)
    assert "of these against" in tried.words


def test_copies_of_which_nothing_can_be_learned_change_nothing():
    given = with_target(1.0)
    assert given.target is not None
    noise = np.random.default_rng(7).normal(size=(400, 60)).astype(np.float32)
    task = given.target.copies
    blank = HeadTask(
        LabelledEmbeddings(noise, task.train.classes),
        LabelledEmbeddings(noise[:120], task.validation.classes[::-1]),
        task.classes,
    )
    given = replace(given, target=replace(given.target, copies=blank))
    linear = fit_frozen_head(given.task)
    chosen = choose_head(linear.model, linear.answers, given, (TargetLook(),))
    assert not chosen.tried[0].kept
    assert not chosen.is_for_target
    assert chosen.model is linear.model
