"""Images beside those of a task, with which it is fine-tuned anew."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.training.image_split import ImageSplit


@dataclass(frozen=True)
class FurtherImages:
    """What a second fine-tuning learns from, and is judged on, beside the images of the first.

    Attributes:
        name: of the second fine-tuning, in the record and for its folder.
        key: tells these images from others of the task, for what is kept of them.
        train: to learn from.
        count: of these.
        classes: of these, int [count]; None for images without a label, with which all images, the
            labelled ones too, are learned as the model before answers them.
        validation: to choose the best epoch by, beside the validation images; None for none.
        held: classes of these, int [m].
    """

    name: str
    key: str
    train: ImageSplit
    count: int
    classes: NDArray[np.integer] | None = None
    validation: ImageSplit | None = None
    held: NDArray[np.integer] = field(default_factory=lambda: np.zeros(0, int))
