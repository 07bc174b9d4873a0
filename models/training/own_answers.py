"""A fine-tuned model teaches its successor, which also learns from images without labels.

The successor begins with the weights that fine-tuning began with. Of each labelled image, and of as
many without a label at most, it learns what the model before answers (the mean over the views of
the image), as it is and without a border: a self-training of the whole network (Q. Xie et al.,
"Self-training with Noisy Student improves ImageNet classification", CVPR 2020, with soft answers).
On labelled images alone this gained nothing, and four teachers were no better than one
(`benchmarks/strategies/several_models.py`).
"""

from typing import Final

from models.data import example_schema
from models.training.further_images import FurtherImages
from models.training.image_split import ImageSplit
from models.training.successor import GOES_ON, Judged, Successor, better_of, no_successor
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer
from models.training.training_task import TrainingTask

NAME: Final = "self-training of the whole network"
LEAST_CONFIDENCE: Final = 0.3
"""With which validation must prefer the successor. In four draws of four it was the better one on
test images, by 2.6 points in the mean, which some dozens of images cannot outweigh by a little."""


def train_successor(task: TrainingTask, trainer: TopTrainer, first: TopPhase) -> Successor | None:
    """Fine-tunes a second time; that is kept unless the validation images are sure against it.

    Args:
        task: of the training.
        trainer: that has just trained it.
        first: what that came to.

    Returns:
        None where there are no images without labels.
    """
    if task.unlabelled is None or task.unlabelled.images == 0:
        return None
    count = min(task.unlabelled.images, task.images)
    further = ImageSplit(
        task.unlabelled_uri, example_schema.UNLABELLED, ("",), task.spec, most=count
    )
    reason = (
        f"{task.unlabelled.images:,} images without labels beside {task.images:,} labelled ones to "
        f"train on, and at most as many are taken"
    )
    if task.earlier is not None:
        return no_successor(NAME, reason, first, GOES_ON)
    second = trainer.train_again(
        task, FurtherImages("fine_tune_again", task.unlabelled_uri, further, count)
    )
    if second is None:
        return no_successor(NAME, reason, first)
    judged = Judged(second.answers, first.answers, "validation images", LEAST_CONFIDENCE)
    words = f"fine-tuned anew on answers of the model before to {task.images + count:,} images"
    return better_of(NAME, reason, words, (first, second), judged, trainer)
