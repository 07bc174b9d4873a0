"""Fine-tunings of one small task that are taught more than a class for each image.

The loop, the optimizer and the choice of the best epoch are the product's; the head, the loss and
what is taught of each image are an arm's own.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.search.small_task import SmallTask, write_examples
from models.backbone_choice.backbone_choice import Candidate
from models.backbones.cuts import choose_cut
from models.backbones.split_backbone import split_at
from models.data.example_schema import TEST, TRAIN, VALIDATION
from models.inference import compiled_forward
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask
from models.training.activation_cache import VIEWS
from models.training.activations import Activations, compute_activations
from models.training.convolutions import faster_convolutions
from models.training.fine_tuning import TopAndHead, fine_tune, set_rate, trainable_model
from models.training.image_split import ImageSplit
from models.training.input_sources import CachedSource
from models.training.replicas import Replicas
from models.training.training_settings import TrainingSettings, steps_per_epoch
from models.training.training_state import STATE_FILE, TrainingState

BACKBONE: Final = "EfficientNetLite0"
FURTHER: Final = "further image"
"""Label of an image whose class the heads on the frozen backbone do not learn."""
_BATCH: Final = 64

Floats = NDArray[np.float32]
Weights = list[Floats]
Loss = Callable[[Any, Any], Any]


def prepared_backbone(
    task: SmallTask,
    scratch: Path,
    size: int,
    settings: TrainingSettings,
    seed: int,
    left_out: tuple[str, ...] = (),
    weights: str = "imagenet",
) -> PreparedBackbone:
    """Writes the images of a task, and builds the backbone.

    Args:
        task: to be learned; files that have the label `FURTHER` are for `TopTuning` alone.
        scratch: folder for all files of it, which must be empty.
        size: side in pixels.
        settings: of the training.
        seed: of the training.
        left_out: names of images that are neither trained nor validated on.
        weights: of the backbone, as `model.weights` has them.
    """
    splits = {TRAIN: task.train, VALIDATION: task.validation, TEST: task.test}
    write_examples(scratch / "examples", splits)
    candidate = Candidate(backbone=BACKBONE, weights=weights, image_size=size)
    searched = SearchTask(
        examples_uri=str(scratch / "examples"),
        labels=task.labels,
        candidates=(candidate,),
        resize="stretch",
        features="all",
        training=settings,
        seed=seed,
        embeddings=str(scratch / "embeddings"),
        activations=str(scratch / "activations"),
        left_out=left_out,
    )
    return PreparedBackbone(searched, candidate, scratch / "activations")


@dataclass(frozen=True)
class Lesson:
    """What a model is taught, and how it is examined.

    Attributes:
        images: numbers of the training images that it is taught, int [n].
        targets: of each of these, float32 [n, t].
        held: right answers of the examination, int [m].
        examine: makes logits [m, k] of the outputs [v, t] for the validation images; None where
            they are that already.
    """

    images: NDArray[np.integer]
    targets: Floats
    held: NDArray[np.integer]
    examine: Callable[[Floats], Floats] | None = None


@dataclass(frozen=True)
class Arm:
    """A model to be trained any number of times.

    Attributes:
        model: the trainable top below a head.
        start: its weights before any training.
        fresh: variables of its optimizer before any training.
    """

    model: TopAndHead
    start: Weights
    fresh: Weights


class TopTuning:
    """Trains the upper half of one backbone again and again, each time from the start."""

    def __init__(
        self, prepared: PreparedBackbone, settings: TrainingSettings, scratch: Path
    ) -> None:
        """Runs what is frozen over all images.

        Args:
            prepared: of `prepared_backbone`.
            settings: of the trainings.
            scratch: the folder given there.
        """
        self._settings = settings
        self._scratch = scratch
        self._task = prepared.training(settings, scratch)
        self._trunk = prepared.backbone.trunk
        self._whole = prepared.backbone.model
        self._pretrained = self._trunk.get_weights()
        self._split = split_at(prepared.backbone, choose_cut(self._trunk, settings.unfreeze))
        self._mirror, _ = prepared.mirror(self._task) or (False, "")
        self._bottom = compiled_forward(self._split.bottom)
        self._train = self._crossing(TRAIN, VIEWS)
        self._validation = self._crossing(VALIDATION, 1)
        self._test = self._crossing(TEST, 1)

    def _crossing(self, split: str, views: int) -> Activations:
        labels = (*self._task.labels, FURTHER)
        images = ImageSplit(self._task.examples_uri, split, labels, self._task.spec)
        return compute_activations(
            self._bottom,
            images,
            images.classes(),
            self._scratch / "crossing",
            views=views,
            mirror=self._mirror,
            seed=self._task.seed,
        )

    def arm(self, head: keras.Model, loss: Loss | None = None) -> Arm:
        """The trainable top, as it was pretrained, below a head.

        Args:
            head: from features to outputs [n, t].
            loss: of targets and outputs; None for the cross-entropy of one softmax.
        """
        self._trunk.set_weights(self._pretrained)
        model = trainable_model(
            self._whole,
            self._split,
            head,
            self._settings,
            streamed=False,
            steps=steps_per_epoch(self._task.images, self._settings.batch_size),
        )
        if loss is not None:
            model.compile(optimizer=model.optimizer, loss=loss)
        return Arm(model, model.get_weights(), [each.numpy() for each in model.optimizer.variables])

    def tune(self, arm: Arm, lesson: Lesson, *, seed: int = 0, rate: float | None = None) -> None:
        """Trains; the model then has the weights of its best epoch.

        Args:
            arm: of `arm`.
            lesson: what it learns.
            seed: of the order.
            rate: that is learned with after the warm-up; None for the settings'.
        """
        model, settings = arm.model, self._settings
        model.set_weights(arm.start)
        for variable, value in zip(model.optimizer.variables, arm.fresh, strict=True):
            variable.assign(value)
        set_rate(model, rate or settings.learning_rate)
        model.stop_training = False
        folder = self._scratch / "training"
        state = _Examined(folder / STATE_FILE, lesson, settings)
        with faster_convolutions(self._split.top):
            fine_tune(
                model,
                CachedSource(_Chosen(self._train, lesson.images), self._validation, seed),
                state,
                settings,
                lesson.targets,
                np.ones(len(lesson.images), np.float32),
                folder / "logs",
                Replicas("one", settings.batch_size),
            )
        state.give_best(model)
        shutil.rmtree(folder)

    def validated(self, arm: Arm) -> Floats:
        """Outputs [m, t] for the validation images."""
        return _outputs(arm.model.answer, self._validation.all())

    def tested(self, arm: Arm) -> Floats:
        """Outputs [m, t] for the test images."""
        return _outputs(arm.model.answer, self._test.all())

    def features(self) -> tuple[Floats, Floats, Floats]:
        """What a head reads of training, validation and test images, with the weights of now."""
        crossing = keras.Input((self._split.values,))
        top = keras.Model(crossing, self._split.top(self._split.unpack(crossing)))
        forward = compiled_forward(top)
        train, validation, test = (
            _outputs(forward, each.all()) for each in (self._train, self._validation, self._test)
        )
        return train, validation, test

    def taught(self, arm: Arm) -> list[Floats]:
        """Outputs [n, t] for each view of all training images."""
        numbers = np.arange(len(self._train))
        return [
            _outputs(arm.model.answer, self._train.rows(numbers, np.full_like(numbers, view)))
            for view in range(VIEWS)
        ]


class _Chosen(Activations):
    """Some images of others; their "classes" are their places among those chosen."""

    def __init__(self, whole: Activations, images: NDArray[np.integer]) -> None:
        self._whole = whole
        self._images = images
        self.classes = np.arange(len(images))
        self.views = whole.views

    @property
    def shape(self) -> tuple[int, ...]:
        return self._whole.shape

    def rows(self, images: NDArray[Any], views: NDArray[Any]) -> Floats:
        return self._whole.rows(self._images[images], views)


class _Examined(TrainingState):
    """Chooses the best epoch by the examination of a lesson."""

    def __init__(self, file: Path, lesson: Lesson, settings: TrainingSettings) -> None:
        waits = settings.waits(len(lesson.images))
        last = settings.waits_at_last
        super().__init__(
            file, lesson.held, epochs=settings.epochs, patience=waits, last_patience=last
        )
        self._examine = lesson.examine

    def validate_by(self, validate: Callable[[], Floats]) -> None:
        examine = self._examine
        super().validate_by(validate if examine is None else lambda: examine(validate()))


def _outputs(forward: Callable[[Floats], Any], crossing: Floats) -> Floats:
    parts = np.split(crossing, range(_BATCH, len(crossing), _BATCH))
    return np.concatenate([np.asarray(forward(part)) for part in parts])
