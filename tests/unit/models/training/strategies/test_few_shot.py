from dataclasses import replace

import numpy as np
import pytest
from few_images import accuracy, draw, situation

from models.head.earlier_head import EarlierHead
from models.head.evidence import Answers
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.training.strategies.choice import choose_head
from models.training.strategies.few_shot import FewShot
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings


def test_it_is_for_few_images_alone():
    assert "6 labelled images" in FewShot().reason(situation(20, 4))
    assert not FewShot().reason(situation(20, 4, most=5))
    assert not FewShot().reason(situation(20, 4, most=0))


@pytest.mark.parametrize(("known", "is_tried"), [(1, True), (2, False), (4, False)])
def test_it_is_not_for_classes_that_an_earlier_model_knows(known, is_tried):
    given = situation(20, 4)
    kernel = np.ones((60, 4), np.float32)
    kernel[:, known:] = 0.0
    zeros = np.zeros(60, np.float32)
    earlier = EarlierHead(zeros, zeros + 1, kernel, np.zeros(4, np.float32))
    assert bool(FewShot().reason(replace(given, earlier=earlier))) == is_tried


def test_few_images_are_classified_better_than_by_the_linear_head():
    given = situation(20, 4)
    linear = fit_frozen_head(given.task)
    chosen = choose_head(linear.model, linear.answers, given)
    (tried,) = chosen.tried
    assert tried.kept
    assert tried.name == "few-shot head"
    assert "fitted to all 24 labelled images" in tried.words
    asked = draw(400, 3)
    assert accuracy(chosen.model, asked) > accuracy(linear.model, asked) + 0.2


@pytest.mark.parametrize("unit_length", [False, True])
def test_the_answers_are_of_a_head_that_knew_no_validation_image(monkeypatch, unit_length):
    """With labels at random nothing can be known of the validation images but by cheating."""
    from models.head import discriminant

    form = discriminant.Form(0.1, unit_length)
    monkeypatch.setattr(discriminant, "choose", lambda *_: discriminant.Choice(form, 0.3, None))
    generator = np.random.default_rng(5)
    splits = [
        LabelledEmbeddings(
            generator.normal(size=(60, 200)).astype(np.float32), generator.integers(0, 4, 60)
        )
        for _ in range(2)
    ]
    task = HeadTask(splits[0], splits[1], 4)
    arm = FewShot().arm(Situation(task, TrainingSettings()))
    assert arm.answers.accuracy < 0.5
    assert accuracy(arm.head, splits[1]) > 0.9


def test_a_head_that_is_better_for_sure_is_not_given_up():
    given = situation(20, 40)
    best = Answers(np.ones(40, bool), np.zeros(40))
    head = fit_frozen_head(given.task).model
    chosen = choose_head(head, best, given, [_Wrong()])
    (tried,) = chosen.tried
    assert not tried.kept
    assert "less than without it" in tried.words
    assert chosen.model is head
    assert chosen.answers is best


class _Wrong(FewShot):
    """Has an arm that answers everything wrongly."""

    def arm(self, situation):
        arm = super().arm(situation)
        classes = situation.task.validation.classes
        return type(arm)(arm.head, Answers(np.zeros(len(classes), bool), np.full(40, 3.0)), "w")
