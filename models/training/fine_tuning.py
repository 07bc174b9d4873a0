"""Fine-tuning: the top of the backbone is trained together with the head.

The recipe, with what each part is for:

- The bottom is frozen, and so is every BatchNorm: the statistics of small batches would be noise
  beside those of pretraining, and training its scale and shift was measured to gain nothing.
- The head starts as the best one for the frozen features, so that the first gradients already
  mean something (A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
  Out-of-Distribution", ICLR 2022).
- The rate is low, starts with a warm-up and stays: how many epochs pay is not known in advance, and
  the moving average does what a falling rate is for. On 425 hand signs of 96 px it came to 0.943 on
  test images after ten epochs, when it stopped by itself; a cosine over 6 to 0.916, over 12 to
  0.944. One rate for all layers: rates that fall towards the bottom were measured to gain nothing
  above a frozen half.
- The weights that are validated and kept are a moving average over about an epoch (B. Polyak and
  A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992).
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.backbones.split_backbone import SplitBackbone
from models.training.epoch_means import EpochMeans
from models.training.input_sources import Batch, Source
from models.training.one_pass_adamw import OnePassAdamW
from models.training.replicas import Replicas
from models.training.training_settings import TrainingSettings
from models.training.training_state import PausedError, TrainingState

_WEIGHT_DECAY: Final = 0.01
_WARM_UP: Final = 1.0
"""Epochs."""
_AVERAGED_EPOCHS: Final = 1.0
"""Epochs that the moving average of the weights reaches back."""
_VALIDATION_BATCH: Final = 64


class TopAndHead(keras.Model):
    """The backbone's top in inference mode below the head, whose dropout is on in training.

    A functional model would not do: within `fit` it hands `training=True` to every layer, whatever
    the call that built it said, and the statistics of BatchNorm would move.
    """

    def __init__(
        self,
        top: keras.Model,
        head: keras.Model,
        shape: tuple[int, ...],
        unpack: Callable[[Any], Any] | None = None,
    ) -> None:
        """Puts the parts together.

        Args:
            top: from inputs to features.
            head: from features to logits.
            shape: of one input.
            unpack: makes the top's inputs of what the model is given; None where they are those.
        """
        super().__init__()
        self.top = top
        self.head = head
        self.schedule: _WarmUp | None = None
        self._unpack = unpack
        # A graph for batches of any size; `predict_on_batch` would trace one for each of two.
        self.answer = tf.function(
            lambda inputs: self(inputs, training=False),
            input_signature=[tf.TensorSpec((None, *shape), tf.float32)],
            autograph=False,
        )

    def build(self, input_shape: Any) -> None:
        """The parts are built; a symbolic pass through them, a second long, would do nothing."""
        del input_shape
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Logits [n, k]."""
        unpacked = self._unpack(inputs) if self._unpack else inputs
        return self.head(self.top(unpacked, training=False), training=training)


def trainable_model(
    backbone: keras.Model,
    split: SplitBackbone,
    head: keras.Model,
    settings: TrainingSettings,
    *,
    streamed: bool,
    steps: int,
) -> TopAndHead:
    """Puts the head on the backbone and compiles both for fine-tuning above the cut.

    Args:
        backbone: from images to features.
        split: of the same; what lies below its cut is frozen.
        head: from features to logits, already trained on frozen features.
        settings: rate and smoothing of the labels.
        streamed: whether the inputs are images; else they are what crosses the cut.
        steps: batches in an epoch.

    Returns:
        Model from the inputs to logits [n, k].
    """
    freeze_below(backbone, split)
    if streamed:
        model = TopAndHead(backbone, head, backbone.input_shape[1:])
    else:
        model = TopAndHead(split.top, head, (split.values,), split.unpack)
    model.build(None)
    model.schedule = _WarmUp(settings.learning_rate, round(_WARM_UP * steps))
    model.compile(
        optimizer=_optimizer(model.schedule, steps),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=settings.label_smoothing
        ),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def freeze_below(backbone: keras.Model, split: SplitBackbone) -> None:
    """Freezes what lies below the cut, and every BatchNorm; the rest can be trained.

    Args:
        backbone: from images to features.
        split: of the same.
    """
    above = {layer.name for layer in split.top.layers}
    for layer in backbone.layers:
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = layer.name in above and not normalises


def set_rate(model: TopAndHead, rate: float) -> None:
    """Changes the learning rate that a model of `trainable_model` has after its warm-up."""
    assert model.schedule is not None
    model.schedule.rate.assign(rate)


def fine_tune(
    model: TopAndHead,
    source: Source,
    state: TrainingState,
    settings: TrainingSettings,
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    log_dir: Path,
    replicas: Replicas,
) -> None:
    """Trains the epochs that are left to do; `state` then holds the weights of the best one.

    Or those until the state pauses.

    Args:
        model: of `trainable_model`.
        source: of the model's inputs.
        state: restored, if there was something to restore.
        settings: numbers of epochs and batches.
        targets: what each class of the source is to be answered with, float32 [c, k].
        weights: of each class of the source, float32 [c].
        log_dir: for TensorBoard.
        replicas: in whose scope the model was made.
    """
    # Traced before the clock of an epoch runs.
    model.answer(np.zeros((1, *source.shape), np.float32))
    state.validate_by(lambda: _validation_logits(model, source))
    callbacks = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        state,
        keras.callbacks.TensorBoard(str(log_dir), write_graph=False, profile_batch=0),
    ]
    told = keras.callbacks.CallbackList(callbacks, model=model, epochs=settings.epochs)

    def step(batch: Batch) -> dict[str, float]:
        inputs, classes = batch
        return replicas.train_on_batch(model, inputs, targets[classes], weights[classes])

    with suppress(PausedError):
        _train_epochs(model, source, told, settings, step, len(state.history.epochs))


def _train_epochs(
    model: TopAndHead,
    source: Source,
    callbacks: keras.callbacks.CallbackList,
    settings: TrainingSettings,
    train_on: Callable[[Batch], dict[str, float]],
    first: int,
) -> None:
    """What `Model.fit` does with a dataset, in half of its time.

    `fit` takes the batch out of the dataset within the traced function, whose step TensorFlow then
    optimizes less.
    """
    callbacks.on_train_begin()
    for epoch in range(first, settings.epochs):
        callbacks.on_epoch_begin(epoch)
        means = EpochMeans()
        for step, batch in enumerate(source.epoch(epoch, settings.batch_size)):
            callbacks.on_train_batch_begin(step)
            logs = train_on(batch)
            means.add(logs, len(batch[1]))
            callbacks.on_train_batch_end(step, logs)
        callbacks.on_epoch_end(epoch, means.logs())
        if model.stop_training:
            break
    callbacks.on_train_end()


class _WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that grows from near zero in so many steps, and stays."""

    def __init__(self, rate: float, steps: int) -> None:
        # A variable, so that another rate needs no new trace.
        self.rate = keras.Variable(rate, trainable=False, dtype="float32", name="rate")
        self._steps = steps

    def __call__(self, step: Any) -> Any:
        done = keras.ops.cast(step + 1, "float32") / self._steps
        return self.rate * keras.ops.minimum(done, 1.0)


def _optimizer(schedule: _WarmUp, steps: int) -> keras.Optimizer:
    optimizer = OnePassAdamW(
        schedule,
        weight_decay=_WEIGHT_DECAY,
        use_ema=True,
        ema_momentum=1.0 - 1.0 / max(10.0, _AVERAGED_EPOCHS * steps),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def _validation_logits(model: TopAndHead, source: Source) -> NDArray[np.float32]:
    """What the model makes of the validation images, float32 [m, k], with the weights of now."""
    batches = source.validation(_VALIDATION_BATCH)
    logits = [model.answer(inputs).numpy() for inputs, _ in batches]
    return np.concatenate(logits).astype(np.float32)
