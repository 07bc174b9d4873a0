"""Images without labels from which nothing was learned, so that nobody believes that it was."""

from typing import Final

from models.training.own_answers import NAME as OF_THE_NETWORK
from models.training.strategies.choice import ChosenHead, StrategyRecord
from models.training.strategies.self_training import SelfTraining
from models.training.strategies.strategy import Situation
from models.training.training_settings import Strategy

NAME: Final = "learning from images without labels"


def unused_images(
    situation: Situation, strategy: Strategy, head: ChosenHead
) -> tuple[StrategyRecord, ...]:
    """Says why no strategy was tried on `data.unlabelled`.

    Args:
        situation: of the data.
        strategy: of the training.
        head: with all that was tried.

    Returns:
        Nothing where there are no such images, or one was tried.
    """
    unlabelled = situation.unlabelled
    if unlabelled is None or {SelfTraining.name, OF_THE_NETWORK} & {
        each.name for each in head.tried
    }:
        return ()
    reason = f"{unlabelled.images:,} images without labels (data.unlabelled) that can be used"
    if unlabelled.images == 0:
        return (StrategyRecord(NAME, False, reason, "not done: there is none to learn from"),)
    network = (
        "was fine-tuned on copies that look like data.target in their place"
        if strategy.name == "fine_tune"
        else f"is not fine-tuned, as the head alone is trained ({strategy.reason})"
    )
    words = (
        "not done: a head learns from them where the middle class has at most "
        f"{situation.settings.few_shot_images} labelled images (training.few_shot_images), and it "
        f"has {situation.images_a_class:g}; a backbone that is fine-tuned does, and it {network}"
    )
    return (StrategyRecord(NAME, False, reason, words),)
