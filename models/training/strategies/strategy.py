"""What a strategy is given, and what it gives."""

from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from models.data.image_look import Likeness
from models.head.earlier_head import EarlierHead
from models.head.evidence import Answers
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, UnlabelledEmbeddings
from models.training.training_settings import TrainingSettings


@dataclass(frozen=True)
class Target:
    """Another domain, as its images without labels show it.

    Attributes:
        embeddings: of these images, float32 [m, d].
        copies: of training and validation images, made to look like them.
        likeness: how these were made.
    """

    embeddings: NDArray[np.float32]
    copies: HeadTask
    likeness: Likeness


@dataclass(frozen=True)
class Situation:
    """What is known of the data.

    Attributes:
        task: training and validation embeddings.
        settings: of the training.
        unlabelled: images without a label; None where none are given.
        target: another domain; None for none.
        earlier: head of an earlier model that the training begins from; None for none.
    """

    task: HeadTask
    settings: TrainingSettings
    unlabelled: UnlabelledEmbeddings | None = None
    target: Target | None = None
    earlier: EarlierHead | None = None

    @property
    def images_a_class(self) -> float:
        """Labelled images that the middle class has."""
        counts = np.bincount(self.task.labelled.classes, minlength=self.task.classes)
        return float(np.median(counts))

    @property
    def is_few_shot(self) -> bool:
        """Whether images are so few that the strategies for few images are tried."""
        return self.images_a_class <= self.settings.few_shot_images

    @property
    def knows_most(self) -> bool:
        """Whether the training begins from a model that knows half of the classes or more."""
        return self.earlier is not None and float(self.earlier.knows.mean()) >= 0.5


@dataclass(frozen=True)
class Arm:
    """What came of a strategy.

    Attributes:
        head: from embeddings float32 [n, d] to logits [n, k], as it is to be exported.
        answers: to the validation images, of a head that was fitted without their labels.
        words: what it is.
        judged: what it is compared on in the place of the validation images; None for these. The
            head has not learned from it.
    """

    head: keras.Model
    answers: Answers
    words: str
    judged: LabelledEmbeddings | None = None


class Strategy(Protocol):
    """A way to come to another head."""

    @property
    def name(self) -> str:
        """For the report."""

    @property
    def least_confidence(self) -> float:
        """That its head is better than the one without it, from which on it is kept.

        0.5 where these images alone can tell; less where it was measured to be the better one, and
        so few validation images would decide by chance.
        """

    def reason(self, situation: Situation) -> str:
        """Why it is tried here, with the numbers; empty where it is not for this situation."""

    def arm(self, situation: Situation) -> Arm:
        """Carries it out."""
