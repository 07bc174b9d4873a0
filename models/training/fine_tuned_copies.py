"""A backbone that is fine-tuned on copies that look like another domain, too.

Where a head learned from such copies with profit (`models.training.strategies.target_look`), the
whole network can: it is fine-tuned anew on the images and their copies, from the weights that the
first fine-tuning began with. The best epoch is chosen by the validation images and their copies.
"""

from typing import Final

import keras

from models.training.further_images import FurtherImages
from models.training.strategies.strategy import Target
from models.training.successor import GOES_ON, Judged, Successor, better_of, no_successor
from models.training.target_copies import answers_to_copies, copied_splits
from models.training.top_phase import TopPhase
from models.training.top_trainer import TopTrainer
from models.training.training_task import TrainingTask, with_head

NAME: Final = "fine-tuning on copies that look like the target"
_PHASE: Final = "fine_tune_copies"
_LEAST_CONFIDENCE: Final = 0.5
"""With which copies of validation images must prefer it: these alone can tell."""


def train_on_copies(
    task: TrainingTask,
    trainer: TopTrainer,
    first: TopPhase,
    head: keras.Model,
    target: Target,
) -> Successor:
    """Fine-tunes a second time; that is kept where it answers copies of validation images better.

    Args:
        task: of the training.
        trainer: that has just trained it.
        first: what that came to.
        head: of the trainer.
        target: of the task; a head learned from copies with profit.
    """
    classes = target.copies.train.classes
    reason = (
        f"a head gained from {len(classes):,} copies of training images that look like data.target"
    )
    if task.earlier is not None:
        return no_successor(NAME, reason, first, GOES_ON)
    before = answers_to_copies(task, target, with_head(task.backbone.model, head))
    train, validation = copied_splits(task, target)
    key = f"{_PHASE} {task.target_uri}"
    held = target.copies.validation.classes
    second = trainer.train_again(
        task, FurtherImages(_PHASE, key, train, len(classes), classes, validation, held)
    )
    if second is None:
        return no_successor(NAME, reason, first)
    after = answers_to_copies(task, target, with_head(task.backbone.model, head))
    judged = Judged(after, before, "copies of validation images", _LEAST_CONFIDENCE)
    words = f"fine-tuned anew on {task.images:,} images and {len(classes):,} copies"
    return better_of(NAME, reason, words, (first, second), judged, trainer)
