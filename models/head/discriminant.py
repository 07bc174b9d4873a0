"""The discriminant head: which class's mean is nearest, for few images.

Distances are measured by what images of one class differ in: the covariance within the classes, one
for all, shrunk towards a round one, for few images tell little of it (J. Friedman, "Regularized
Discriminant Analysis", 1989). Shrunk wholly it leaves the nearest class mean (T. Mensink et al.,
"Distance-Based Image Classification: Generalizing to New Classes at Near-Zero Cost", 2013); on
features brought to length 1 that is a cosine head (H. Qi et al., "Low-Shot Learning with Imprinted
Weights", CVPR 2018). Cross-validation chooses among these and finds the temperature. All of them
are linear in what they read, and solved in closed form.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.head.evidence import Answers, answers_of
from models.temperature import best_temperature

Floats = NDArray[np.floating]

_SHRINKAGES: Final = (0.1, 0.5, 0.9, 0.97, 1.0)
_FOLDS: Final = 5
_UNTOLD_TEMPERATURE: Final = 1.0
"""Where no class has two images to find one by."""
_MOST_RESTS: Final = 2_500
"""Images that tell the covariance; what it takes grows with their third power. All of a task with
20 images of each of 1,000 classes would take hours."""
_NEVER: Final = 1e4
"""By how much a class without images is less likely than any other, before the temperature."""


@dataclass(frozen=True)
class Form:
    """One head of the family.

    Attributes:
        shrinkage: of the covariance, above 0 and at most 1; 1 for the nearest class mean.
        unit_length: whether features are brought to length 1 first.
    """

    shrinkage: float
    unit_length: bool

    def __str__(self) -> str:
        kind = "cosine" if self.unit_length else "nearest class mean"
        if self.shrinkage == 1.0:
            return kind
        length = " of features of length 1" if self.unit_length else ""
        return f"linear discriminant{length}, its covariance shrunk by {self.shrinkage:g}"


@dataclass(frozen=True)
class Choice:
    """A head of the family that was chosen.

    Attributes:
        form: of the head.
        temperature: that its distances are divided by.
        answers: to the images, each by a head that was fitted without it; None where no class has
            two images, so that nothing could be compared.
    """

    form: Form
    temperature: float
    answers: Answers | None


def choose(features: Floats, classes: NDArray[np.integer], count: int) -> Choice:
    """Chooses a form by cross-validation, by what `models.head.evidence` promises of it.

    Args:
        features: [n, d], standardised; n at least 1.
        classes: int [n].
        count: number of classes k.
    """
    folds = _folds(classes)
    held = folds >= 0
    if not held.any():
        return Choice(Form(1.0, unit_length=True), _UNTOLD_TEMPERATURE, None)
    best: tuple[Form, Floats, Answers] | None = None
    for unit_length in (False, True):
        # Of 1,000 classes with five images each, the answers of a form take 40 MB.
        for form, logits in _held_out(features, classes, count, folds, unit_length).items():
            answers = answers_of(logits[held], classes[held])
            if best is None or answers.expected_accuracy > best[2].expected_accuracy:
                best = form, logits[held], answers
    assert best is not None
    form, logits, answers = best
    return Choice(form, best_temperature(logits, classes[held]), answers)


def choose_shrinkage(
    features: Floats,
    classes: NDArray[np.integer],
    count: int,
    held_features: Floats,
    held_classes: NDArray[np.integer],
) -> Choice:
    """Chooses a form, of features as they are, by images that it is not fitted to.

    For images that are not independent, such as copies of one another, which would lie in different
    folds of a cross-validation.

    Args:
        features: [n, d], standardised; n at least 1.
        classes: int [n].
        count: number of classes k.
        held_features: [m, d], standardised alike; m at least 1.
        held_classes: int [m].
    """
    scatter = _Scatter(features, classes, count)
    logits = {}
    for shrinkage in _SHRINKAGES:
        kernel, bias = scatter.head(shrinkage)
        logits[shrinkage] = held_features @ kernel + bias
    judged = {each: answers_of(found, held_classes) for each, found in logits.items()}
    best = max(judged, key=lambda each: judged[each].expected_accuracy)
    temperature = best_temperature(logits[best], held_classes)
    return Choice(Form(best, unit_length=False), temperature, judged[best])


def fit(
    features: Floats, classes: NDArray[np.integer], count: int, choice: Choice
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fits the chosen form.

    Args:
        features: [n, d], standardised; the kernel is for features of length 1 where the form says.
        classes: int [n].
        count: number of classes k; one without images is never answered.
        choice: of `choose`.

    Returns:
        kernel float32 [d, k] and bias float32 [k], of calibrated logits.
    """
    rows = unit_rows(features) if choice.form.unit_length else features
    kernel, bias = _Scatter(rows, classes, count).head(choice.form.shrinkage)
    return (
        (kernel / choice.temperature).astype(np.float32),
        (bias / choice.temperature).astype(np.float32),
    )


def unit_rows(features: Floats) -> Floats:
    """Features [n, d] brought to length 1."""
    return features / np.sqrt(np.maximum((features**2).sum(axis=1, keepdims=True), 1e-12))


class _Scatter:
    """The means of the classes and what images differ from them by, for any shrinkage.

    Of a covariance of d × d numbers and n images only n directions count.
    """

    def __init__(self, features: Floats, classes: NDArray[np.integer], count: int) -> None:
        self._present = np.bincount(classes, minlength=count) > 0
        shares = (
            np.eye(count)[classes].T / np.maximum(np.bincount(classes, minlength=count), 1)[:, None]
        )
        self._means = shares @ features
        some = np.random.default_rng(0).permutation(len(classes))[:_MOST_RESTS]
        # In their order: where all are taken, as they are.
        some.sort()
        rests = features[some] - self._means[classes[some]]
        values, vectors = np.linalg.eigh(rests @ rests.T / len(rests))
        kept = values > 1e-9 * max(float(values.max()), 1e-12)
        self._values = values[kept]
        # Orthonormal directions [r, d].
        self._axes = vectors[:, kept].T @ rests / np.sqrt(len(rests) * self._values)[:, None]
        self._round = float(self._values.sum()) / features.shape[1] or 1.0

    def head(self, shrinkage: float) -> tuple[Floats, Floats]:
        """Kernel [d, k] and bias [k]."""
        floor = shrinkage * self._round
        along = 1.0 / ((1.0 - shrinkage) * self._values + floor) - 1.0 / floor
        kernel = self._means / floor + (self._means @ self._axes.T * along) @ self._axes
        bias = -0.5 * (kernel * self._means).sum(axis=1)
        # In units of how far the classes are apart, so that one range of temperatures does for all.
        scores = self._means[self._present] @ kernel[self._present].T + bias[self._present]
        spread = float(np.sqrt(scores.var(axis=1).mean())) or 1.0
        bias[~self._present] = bias.min() - _NEVER * spread
        return kernel.T / spread, bias / spread


def _held_out(
    features: Floats,
    classes: NDArray[np.integer],
    count: int,
    folds: NDArray[np.integer],
    unit_length: bool,
) -> dict[Form, Floats]:
    """What the forms of one kind answer to images that they were fitted without: [n, k] each."""
    logits: dict[Form, Floats] = {
        Form(each, unit_length): np.zeros((len(classes), count)) for each in _SHRINKAGES
    }
    rows = unit_rows(features) if unit_length else features
    for fold in range(folds.max() + 1):
        out = folds == fold
        scatter = _Scatter(rows[~out], classes[~out], count)
        for form, answered in logits.items():
            kernel, bias = scatter.head(form.shrinkage)
            answered[out] = rows[out] @ kernel + bias
    return logits


def _folds(classes: NDArray[np.integer]) -> NDArray[np.intp]:
    """The fold of each image, the same in every run; -1 where it is the only one of its class.

    Images of a class go to the folds in turn, so that the others always know the class.
    """
    folds = np.full(len(classes), -1)
    for each in np.unique(classes):
        rows = np.flatnonzero(classes == each)
        if len(rows) > 1:
            folds[rows] = (np.arange(len(rows)) + each) % min(_FOLDS, len(rows))
    return folds
