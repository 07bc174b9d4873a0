"""A judge that tells two domains apart, against which features are trained until it cannot.

Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016 (DANN).
"""

from typing import Any, Final

import keras
import tensorflow as tf

_WIDTH: Final = 128
_STEEPNESS: Final = 10.0


def judging(head: keras.Model, last: int, strength: float, steps: int) -> keras.Model:
    """Puts a judge of the last features beside a head; its gradient goes back reversed.

    Features of lower blocks would give a domain away that nothing above them can change.

    Args:
        head: of `models.head.head_model.build_head`.
        last: number of the features that come last in the backbone, which are the head's first.
        strength: share of the gradient that goes back reversed, in the end.
        steps: of the training, in which the share rises from 0, as in the paper.

    Returns:
        From features [n, d] to the head's logits and the judge's, side by side [n, k + 1].
    """
    features = head.get_layer("standardisation").output[:, :last]
    turned = _Reversed(strength, steps)(features)
    hidden = keras.layers.Dense(_WIDTH, activation="relu")(turned)
    judged = keras.layers.Dense(1)(hidden)
    return keras.Model(head.inputs, keras.layers.Concatenate()([head.outputs[0], judged]))


def both_losses(targets: Any, outputs: Any, share: float) -> Any:
    """The loss of classes and the loss of domains, for each image.

    Args:
        targets: [n, k + 1], the class and whether the image is of the other domain; where no class
            is known, all k are zero.
        outputs: of `judging`, [n, k + 1].
        share: of the images, that have a class.
    """
    # TensorFlow's own cross-entropy has a gradient even where all targets are zero.
    logs = keras.ops.log_softmax(outputs[:, :-1], axis=1)
    classes = -keras.ops.sum(targets[:, :-1] * logs, axis=1) / share
    domains = keras.ops.binary_crossentropy(targets[:, -1:], outputs[:, -1:], from_logits=True)
    return classes + domains[:, 0]


class _Reversed(keras.layers.Layer):
    """Hands features on, and their gradient back with the other sign, ever stronger."""

    def __init__(self, strength: float, steps: int) -> None:
        super().__init__()
        self._strength = strength
        self._steps = steps

    def build(self, input_shape: Any) -> None:
        del input_shape
        self._done = self.add_weight(name="done", shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            self._done.assign_add(1 / self._steps)
        factor = self._strength * (2 / (1 + keras.ops.exp(-_STEEPNESS * self._done)) - 1)

        @tf.custom_gradient
        def turned(features: Any) -> Any:
            return tf.identity(features), lambda upstream: -factor * upstream

        return turned(inputs)
