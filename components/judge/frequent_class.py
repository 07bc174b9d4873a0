"""A model beside one that always says the most frequent class.

Of images that are almost all of one class such a model answers almost all rightly, and a model that
looks good by its accuracy alone may know nothing.
"""

from dataclasses import dataclass

import numpy as np

from components.judge.checks import CHANCE
from components.judge.prediction_file import Predictions
from models.metrics import PairedDrop, paired_drop


@dataclass(frozen=True)
class FrequentClass:
    """What always saying the most frequent class comes to.

    Attributes:
        label: the class, the most frequent one of the test images.
        share: of these images, which is the accuracy of always saying it.
        gain: accuracy of the model beyond that, as what would be lost by going back to it.
    """

    label: str
    share: float
    gain: PairedDrop

    @property
    def is_beaten(self) -> bool:
        """Whether the model is better, by more than chance."""
        return self.gain.drop > 0 and self.gain.chance < CHANCE

    @property
    def aside(self) -> str:
        """What is said behind the accuracy; empty where the class is beaten."""
        if self.is_beaten:
            return ""
        recall = "" if self.gain.drop > 0 else ": look at the recall of each class"
        always = f"always {self.label!r} would have ({self.share:.3f})"
        return f", not shown to be more than {always}{recall}"


def beside_frequent_class(predictions: Predictions) -> FrequentClass:
    """Holds a model against always saying the most frequent class.

    Args:
        predictions: its answers to one image or more.
    """
    labels = np.array(predictions.labels)
    classes, counts = np.unique(labels, return_counts=True)
    label = str(classes[counts.argmax()])
    always_right = labels == label
    # What always saying the class would lose, were it the model.
    gain = paired_drop(predictions.right, always_right)
    return FrequentClass(label, float(always_right.mean()), gain)
