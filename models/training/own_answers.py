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
from models.training.further_images import FurtherImages
from models.training.image_split import ImageSplit
from models.training.strategies.choice import StrategyRecord, promise
from models.training.top_trainer import TopPhase, TopTrainer
from models.training.training_task import TrainingTask

NAME: Final = "self-training of the whole network"
LEAST_CONFIDENCE: Final = 0.3
"""With which validation must prefer the successor. In four draws of four it was the better one on
test images, by 2.6 points in the mean, which some dozens of images cannot outweigh by a little."""
_OF: Final = "fine_tuned"


@dataclass(frozen=True)
class Successor:
    """What the second fine-tuning came to.

    Attributes:
        phase: of it, kept or not; None where the images did not fit the cache.
        kept: of both, whose weights backbone and head have.
        record: for the report.
    """

    phase: TopPhase | None
    kept: TopPhase
    record: StrategyRecord


def train_successor(task: TrainingTask, trainer: TopTrainer, first: TopPhase) -> Successor | None:
    """Fine-tunes a second time; that is kept unless the validation images are sure against it.

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
    second = trainer.train_again(
        task, FurtherImages("fine_tune_again", task.unlabelled_uri, further, count)
    )
    if second is None:
        words = "not done: activations of all these images do not fit training.cache_gigabytes"
        return Successor(None, first, StrategyRecord(NAME, False, reason, words, _OF))
    comparison = compare(second.answers, first.answers)
    kept = comparison.confidence >= LEAST_CONFIDENCE
    if not kept:
        trainer.take_back()
    promised = promise(comparison, second.answers, first.answers, "validation images", kept=kept)
    words = f"fine-tuned anew on answers of the model before to {task.images + count:,} images"
    record = StrategyRecord(NAME, kept, reason, f"{words}: {promised}", _OF)
    return Successor(second, second if kept else first, record)
