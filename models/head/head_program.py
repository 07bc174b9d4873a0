"""One width of head, compiled once, trained under any other hyperparameters.

Keras compiles a training step for each model and each `compile`, which takes as long as a short
trial itself. Here learning rate, weight decay, dropout, label smoothing and batch size are inputs
of one compiled function that runs a whole epoch; only the width needs a compilation of its own.
The layers are those of `models.head.head_model.build_head`, and the mathematics are those of
`keras.optimizers.AdamW` and `keras.losses.CategoricalCrossentropy` (a test holds them against
each other), so what a search finds holds for the final model.

TensorFlow is used directly, against the custom of this package: `keras.ops` has no gradients, and
the fused Adam kernel halves the time of a step with a wide hidden layer.
"""

from typing import Any, NamedTuple, get_type_hints

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.head.head_model import Standardisation, build_head
from models.head.hyperparameters import HeadParameters

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7
_STREAMS = 8
"""Random streams of one step: one for each dropout layer, one for the order of images."""

Weights = list[NDArray[np.float32]]


class EpochResult(NamedTuple):
    """What one epoch showed; see `models.history.records.Curve`."""

    train_loss: float
    validation_loss: float
    validation_accuracy: float


class Arrays(NamedTuple):
    """The data, held as tensors.

    Attributes:
        features: float32 [n, d], standardised.
        classes: int32 [n].
        validation_features: float32 [m, d], standardised.
        validation_classes: int32 [m].
        class_weights: float32 [k].
    """

    features: Any
    classes: Any
    validation_features: Any
    validation_classes: Any
    class_weights: Any


class HeadProgram:
    """A head of one width with its optimiser's state."""

    def __init__(self, arrays: Arrays, hidden_units: int) -> None:
        """Builds the head; the first epoch compiles.

        Args:
            arrays: the data.
            hidden_units: width of the hidden layer; 0 for a linear head.
        """
        self._arrays = arrays
        self._hidden_units = hidden_units
        self._head = self._build(seed=0)
        self._variables = [variable.value for variable in self._head.trainable_variables]
        self._momenta = [tf.Variable(tf.zeros_like(each)) for each in self._variables]
        self._squares = [tf.Variable(tf.zeros_like(each)) for each in self._variables]
        self._power_1 = tf.Variable(_BETA_1)
        self._power_2 = tf.Variable(_BETA_2)
        self._initial: dict[int, Weights] = {}
        # A program of its own for each object: shared code would mix up the variables.
        self._run_epoch = tf.function(self._epoch, reduce_retracing=True)

    def reset(self, seed: int) -> None:
        """Starts over with fresh weights, the same for the same seed."""
        if seed not in self._initial:
            fresh = self._build(seed)
            self._initial[seed] = [np.array(each) for each in fresh.trainable_variables]
        for variable, value in zip(self._variables, self._initial[seed], strict=True):
            variable.assign(value)
        for slot in (*self._momenta, *self._squares):
            slot.assign(tf.zeros_like(slot))
        self._power_1.assign(_BETA_1)
        self._power_2.assign(_BETA_2)

    def run_epoch(self, parameters: HeadParameters, seed: int, epoch: int) -> EpochResult:
        """Trains over all images once, in an order of the seed and the epoch, and validates."""
        figures = self._run_epoch(_tensors(parameters), tf.constant(seed), tf.constant(epoch))
        return EpochResult(*(float(each) for each in figures))

    def weights(self) -> Weights:
        """Copies of the trainable weights, in the order of `trainable_variables`."""
        return [variable.numpy() for variable in self._variables]

    def _build(self, seed: int) -> keras.Model:
        dimension = self._arrays.features.shape[1]
        classes = self._arrays.class_weights.shape[0]
        return build_head(
            dimension, classes, HeadParameters(hidden_units=self._hidden_units), seed=seed
        )

    def _epoch(self, tensors: dict[str, Any], seed: Any, epoch: Any) -> tuple[Any, Any, Any]:
        parameters = HeadParameters(**tensors)
        images = tf.shape(self._arrays.features)[0]
        order_seed = tf.stack([seed, epoch * _STREAMS])
        order = tf.random.experimental.stateless_shuffle(tf.range(images), seed=order_seed)
        total = tf.constant(0.0)
        for start in tf.range(0, images, parameters.batch_size):
            rows = order[start : start + parameters.batch_size]
            loss = self._step(parameters, rows, seed, epoch * images + start)
            total += loss * tf.cast(tf.shape(rows)[0], tf.float32)
        return total / tf.cast(images, tf.float32), *self._validate()

    def _step(self, parameters: HeadParameters, rows: Any, seed: Any, position: Any) -> Any:
        features = tf.gather(self._arrays.features, rows)
        classes = tf.gather(self._arrays.classes, rows)
        with tf.GradientTape() as tape:
            logits = self._forward(features, parameters.dropout, seed, position)
            loss = self._loss(logits, classes, parameters.label_smoothing)
        gradients = tape.gradient(loss, self._variables)
        self._update(gradients, parameters)
        return loss

    def _forward(self, features: Any, dropout: Any, seed: Any, position: Any) -> Any:
        """The head's layers, with dropout at the trial's own rate, on standardised features."""
        hidden = features
        for stream, layer in enumerate(self._layers(), start=1):
            if isinstance(layer, keras.layers.Dropout):
                own_seed = tf.stack([seed, position * _STREAMS + stream])
                hidden = tf.nn.experimental.stateless_dropout(hidden, dropout, own_seed)
            else:
                hidden = layer(hidden)
        return hidden

    def _layers(self) -> list[keras.layers.Layer]:
        aside = (keras.layers.InputLayer, Standardisation)
        return [layer for layer in self._head.layers if not isinstance(layer, aside)]

    def _loss(self, logits: Any, classes: Any, smoothing: Any) -> Any:
        count = logits.shape[1]
        targets = tf.one_hot(classes, count) * (1.0 - smoothing) + smoothing / count
        losses = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(losses * tf.gather(self._arrays.class_weights, classes))

    def _update(self, gradients: list[Any], parameters: HeadParameters) -> None:
        """AdamW (Loshchilov and Hutter, 2019): decay apart from the gradient, then Adam."""
        keep = 1.0 - parameters.weight_decay * parameters.learning_rate
        slots = zip(self._variables, self._momenta, self._squares, gradients, strict=True)
        for variable, momentum, square, gradient in slots:
            variable.assign(variable * keep)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=momentum.handle,
                v=square.handle,
                beta1_power=self._power_1,
                beta2_power=self._power_2,
                lr=parameters.learning_rate,
                beta1=_BETA_1,
                beta2=_BETA_2,
                epsilon=_EPSILON,
                grad=gradient,
            )
        self._power_1.assign(self._power_1 * _BETA_1)
        self._power_2.assign(self._power_2 * _BETA_2)

    def _validate(self) -> tuple[Any, Any]:
        """Log loss and accuracy on the validation split."""
        hidden = self._arrays.validation_features
        for layer in self._layers():
            hidden = layer(hidden, training=False) if _is_dropout(layer) else layer(hidden)
        truth = self._arrays.validation_classes
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, hidden)
        right = tf.argmax(hidden, axis=1, output_type=tf.int32) == truth
        return tf.reduce_mean(losses), tf.reduce_mean(tf.cast(right, tf.float32))


def _tensors(parameters: HeadParameters) -> dict[str, Any]:
    """The parameters as scalar tensors, which one compiled function takes any values of."""
    types = {float: tf.float32, int: tf.int32}
    return {
        name: tf.constant(getattr(parameters, name), types[kind])
        for name, kind in get_type_hints(HeadParameters).items()
    }


def _is_dropout(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Dropout)
