"""Which strategies a situation calls for, and whether each is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import keras

from models.head.evidence import Answers, Comparison, answers_of, compare, in_figures
from models.head.labelled_embeddings import LabelledEmbeddings
from models.training.strategies.few_shot import FewShot
from models.training.strategies.self_training import SelfTraining
from models.training.strategies.strategy import Situation, Strategy
from models.training.strategies.target_look import TargetLook

STRATEGIES: Final[tuple[Strategy, ...]] = (FewShot(), SelfTraining(), TargetLook())
"""In the order in which they are tried."""


@dataclass(frozen=True)
class StrategyRecord:
    """A strategy that was tried.

    Attributes:
        name: of the strategy.
        kept: whether its head is the better one.
        reason: why it was tried, in words.
        words: what came of it, in words, with the figures.
        of: what it makes better, "head" or "fine_tuned", the whole network.
    """

    name: str
    kept: bool
    reason: str
    words: str
    of: str = "head"


@dataclass(frozen=True)
class ChosenHead:
    """The best head on the frozen backbone.

    Attributes:
        model: from embeddings [n, d] to logits [n, k].
        answers: to the validation images.
        tried: strategies, in order.
        is_for_target: whether it was kept for what it answers to other images than validation's.
    """

    model: keras.Model
    answers: Answers
    tried: tuple[StrategyRecord, ...]
    is_for_target: bool = False


def choose_head(
    model: keras.Model,
    answers: Answers,
    situation: Situation,
    strategies: Sequence[Strategy] = STRATEGIES,
) -> ChosenHead:
    """Tries every strategy that the situation calls for against the best head so far.

    Args:
        model: the head that knows no strategy.
        answers: its answers to the validation images.
        situation: of the data.
        strategies: to try.
    """
    tried = []
    is_for_target = False
    for strategy in strategies:
        reason = strategy.reason(situation)
        if not reason:
            continue
        arm = strategy.arm(situation)
        one, other = arm.answers, answers
        if arm.judged is not None:
            one, other = (_answers(head, arm.judged) for head in (arm.head, model))
        comparison = compare(one, other)
        least = strategy.least_confidence
        kept = comparison.confidence >= least
        images = "validation images" if arm.judged is None else "these"
        words = f"{arm.words}: {promise(comparison, one, other, images, least)}"
        tried.append(StrategyRecord(strategy.name, kept, reason, words))
        if kept:
            model, answers = arm.head, arm.answers
            is_for_target = arm.judged is not None
    return ChosenHead(model, answers, tuple(tried), is_for_target)


def promise(
    comparison: Comparison, one: Answers, other: Answers, images: str, least_confidence: float
) -> str:
    """Says what a strategy promises, in words, and why it is or is not kept where that surprises.

    Args:
        comparison: of both answers.
        one: answers with the strategy.
        other: answers without it.
        images: that were asked.
        least_confidence: that it is better, from which on it is kept.
    """
    kept = comparison.confidence >= least_confidence
    direction = "more" if comparison.gain > 0.0 else "less"
    words = f"promises {direction} than without it, {comparison}, {in_figures(one, other, images)}"
    if kept and comparison.gain <= 0.0:
        words += "; kept, as so few images do not outweigh what was measured elsewhere"
    if not kept and comparison.gain > 0.0:
        words += f"; not kept, as that takes {least_confidence:.0%}"
    return words


def _answers(head: keras.Model, judged: LabelledEmbeddings) -> Answers:
    logits = head.predict(judged.embeddings, batch_size=1024, verbose=0)
    return answers_of(logits, judged.classes)
