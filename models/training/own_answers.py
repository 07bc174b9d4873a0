"""A fine-tuned model teaches its successor, which also learns from images without labels.

The successor begins with the weights that fine-tuning began with. Of each labelled image, and of as
many without a label at most, it learns what the model before answers (the mean over the views of
the image), as it is and without a border: a self-training of the whole network (Q. Xie et al.,
"Self-training with Noisy Student improves ImageNet classification", CVPR 2020, with soft answers).
On labelled images alone this gained nothing, and four teachers were no better than one
(`benchmarks/strategies/several_models.py`).
"""

from dataclasses import dataclass
from typing import Final

from models.data import example_schema
from models.head.evidence import compare
from models.training.image_split import ImageSplit
from models.training.strategies.choice import StrategyRecord
from models.training.top_trainer import TopPhase, TopTrainer
from models.training.training_task import TrainingTask

NAME: Final = "self-training of the whole network"
_OF: Final = "fine_tuned"


@dataclass(frozen=True)
class Successor:
    """What the second fine-tuning came to.

    Attributes:
        phase: of it, kept or not; None where the images did not fit the cache.
        kept: the better one of both, whose weights backbone and head have.
        record: for the report.
    """

    phase: TopPhase | None
    kept: TopPhase
    record: StrategyRecord


def train_successor(task: TrainingTask, trainer: TopTrainer, first: TopPhase) -> Successor | None:
    """Fine-tunes a second time, and keeps the better one by the validation images.

    Args:
        task: of the training.
        trainer: that has just trained it.
        first: what that came to.

    Returns:
        None where there are no images without labels, or the training goes on from an earlier
        model, which was not measured.
    """
    if task.unlabelled is None or len(task.unlabelled) == 0 or task.earlier is not None:
        return None
    count = min(len(task.unlabelled), task.images)
    further = ImageSplit(
        task.unlabelled_uri, example_schema.UNLABELLED, ("",), task.spec, most=count
    )
    reason = (
        f"{len(task.unlabelled):,} images without labels beside {task.images:,} labelled ones to "
        f"train on, and at most as many are taken"
    )
    second = trainer.train_again(task, further, count)
    if second is None:
        words = "not done: activations of all these images do not fit training.cache_gigabytes"
        return Successor(None, first, StrategyRecord(NAME, False, reason, words, _OF))
    comparison = compare(second.answers, first.answers)
    is_better = comparison.gain > 0.0
    if not is_better:
        trainer.take_back()
    words = (
        f"fine-tuned anew on answers of the model before to {task.images + count:,} images: "
        f"promises {'more' if is_better else 'less'} than that, {comparison}, "
        f"{second.answers.accuracy:.1%} of validation images against {first.answers.accuracy:.1%}"
    )
    kept = second if is_better else first
    return Successor(second, kept, StrategyRecord(NAME, is_better, reason, words, _OF))
