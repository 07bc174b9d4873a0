"""The one number that a search maximises.

Validation accuracy is what a user asks for, but with n images it moves in steps of 1/n and has a
standard error of sqrt(p (1 - p) / n): 1.6 points at p = 0.85 and n = 500, as much as separates the
ten best configurations of a search. Many trials tie, and the Gaussian process of a Bayesian search
sees stairs. The log loss is smooth and uses every image, but by itself prefers timid models to
right ones, and label smoothing moves it without moving a single answer.

So the score is the accuracy minus a tenth of the log loss, measured in units of log k, the loss
of a guess among k classes, and capped there: a gap of 0.1 nats among ten classes counts 0.4 points.
That decides between configurations within the noise of each other and cannot outweigh a gap in
accuracy that the images can support. Units of log k make the score mean the same for any number
of classes, so that histories can be compared.
"""

import math

from models.history.records import Curve

METRIC = "validation_accuracy_less_tenth_of_capped_relative_log_loss"
"""Name of this score in histories."""

_WEIGHT = 0.1


def selection_score(accuracy: float, loss: float, classes: int) -> float:
    """Scores one state of a model on the validation split; higher is better.

    Args:
        accuracy: share answered rightly.
        loss: mean negative log likelihood in nats, finite.
        classes: number of classes k, at least 2.

    Returns:
        From -0.1 to 1.
    """
    return accuracy - _WEIGHT * min(loss / math.log(classes), 1.0)


def curve_scores(curve: Curve, classes: int) -> list[float]:
    """Scores of a learning curve, one for each epoch.

    Args:
        curve: of one evaluation.
        classes: number of classes k, at least 2.
    """
    epochs = zip(curve.validation_accuracy, curve.validation_loss, strict=True)
    return [selection_score(accuracy, loss, classes) for accuracy, loss in epochs]
