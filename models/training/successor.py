"""Which of two fine-tunings of a backbone goes on."""

from dataclasses import dataclass
from typing import Final

from models.head.evidence import Answers, compare
from models.training.strategies.choice import StrategyRecord, promise
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer

NO_ROOM: Final = "activations of all these images do not fit training.cache_gigabytes"
GOES_ON: Final = (
    "the training goes on from the last blessed model (training.start), where it was not measured"
)
_OF: Final = "fine_tuned"


@dataclass(frozen=True)
class Successor:
    """What a second fine-tuning came to.

    Attributes:
        phase: of it, kept or not; None where the images did not fit the cache.
        kept: of both, whose weights backbone and head have.
        record: for the report.
    """

    phase: TopPhase | None
    kept: TopPhase
    record: StrategyRecord


def no_successor(name: str, reason: str, first: TopPhase, why: str = NO_ROOM) -> Successor:
    """Says that there was no second fine-tuning.

    Args:
        name: of the strategy.
        reason: why it was to be tried.
        first: what the first one came to.
        why: it was not done, in words.
    """
    return Successor(None, first, StrategyRecord(name, False, reason, f"not done: {why}", _OF))


@dataclass(frozen=True)
class Judged:
    """What both models answer to the images that decide.

    Attributes:
        second: of the second one.
        first: of the first one.
        images: which ones, in words.
        least_confidence: that the second is better, from which on it is kept.
    """

    second: Answers
    first: Answers
    images: str
    least_confidence: float


def better_of(
    name: str,
    reason: str,
    words: str,
    phases: tuple[TopPhase, TopPhase],
    judged: Judged,
    trainer: TopTrainer,
) -> Successor:
    """Keeps the second fine-tuning or takes it back.

    Args:
        name: of the strategy.
        reason: why it was tried.
        words: what was done.
        phases: what the first and the second came to.
        judged: by which it is decided.
        trainer: of both.
    """
    first, second = phases
    comparison = compare(judged.second, judged.first)
    kept = comparison.confidence >= judged.least_confidence
    if not kept:
        trainer.take_back()
    promised = promise(
        comparison, judged.second, judged.first, judged.images, judged.least_confidence
    )
    record = StrategyRecord(name, kept, reason, f"{words}: {promised}", _OF)
    return Successor(second, second if kept else first, record)
